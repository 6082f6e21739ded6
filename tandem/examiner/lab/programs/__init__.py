"""The programs of the submission: their sandboxes, terminals and limits, and the kernel's tables about them."""
