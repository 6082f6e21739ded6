"""`python -m tandem.examiner.lab FOLDER`: one run, see start.py. Ends when its standard input does."""

import sys
from pathlib import Path

from tandem.examiner.lab.lab import carry_out
from tandem.examiner.order_file import read_order

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    carry_out(read_order(folder), folder)
