"""The lab: carries out one run of a submission, on hosts of its own, and writes its record."""
