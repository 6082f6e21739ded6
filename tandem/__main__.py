"""python3 -m tandem …"""

import sys

from tandem.cli import main


def run() -> None:
    """The installed command `tandem`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
