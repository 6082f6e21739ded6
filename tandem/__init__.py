"""Tandem: a networking assignment as real software. See README.md."""

import sys

__version__ = "0.2.0"

if sys.version_info < (3, 11):  # noqa: UP036 (a clone meets any Python). What follows does not even load there
    sys.stderr.write("tandem needs Python 3.11 or later; this is " + sys.version.split()[0] + "\n")
    sys.exit(2)
