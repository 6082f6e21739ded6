"""Every problem and remark there is, as data: one file for each family. `tandem.diagnosis.problem` gathers them."""
