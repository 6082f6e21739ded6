"""python3 -m tandem …"""

import sys


def run() -> None:
    """The installed command `tandem`. The client starts without loading the rest of the project."""
    if sys.version_info < (3, 11):  # noqa: UP036 (a clone meets any Python)
        print("tandem needs Python 3.11 or later; this is " + sys.version.split()[0], file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:  # so early that no command has begun
        print("tandem: stopped by Ctrl-C", file=sys.stderr)
        sys.exit(1)


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["client"]:
        from tandem.client.__main__ import main as client

        return client(arguments[1:])
    if arguments[:1] == ["serve"]:
        from tandem.ground.signals import exit_on_signals

        exit_on_signals()  # at once: most of a start is importing
    from tandem.cli import main

    return main(arguments)


if __name__ == "__main__":
    run()
