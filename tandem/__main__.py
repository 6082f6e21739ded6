"""python3 -m tandem …"""

import sys


def run() -> None:
    """The installed command `tandem`. The client starts without loading the rest of the project."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["client"]:
        from tandem.client.__main__ import main as client

        sys.exit(client(arguments[1:]))
    from tandem.cli import main

    sys.exit(main(arguments))


if __name__ == "__main__":
    run()
