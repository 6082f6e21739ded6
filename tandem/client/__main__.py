"""Run client 1 or client 2 without the rest of the project: `python3 -m tandem.client 1|2 …`.

Owns the exit codes and the line on standard error. Does not know how the exchange works.
"""

import sys

if __name__ == "__main__":

    def hide_interrupt(kind: type[BaseException], error: BaseException, traceback: object) -> None:
        """End without a traceback at Ctrl-C outside main: in the imports below, or while a first one is handled."""
        if not issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, error.__traceback__)

    sys.excepthook = hide_interrupt

from tandem.client import client1, client2, wire
from tandem.client.options import USAGE, Options, asks_for_json, parse_options
from tandem.client.output import Output
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import printable

EXIT_INTERRUPTED = 130  # the exit code after Ctrl-C, as in shells


def main(arguments: list[str]) -> int:
    """Run client 1 or client 2.

    Returns:
        The exit code: 0 done, 1 it did not work, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    try:
        if "--help" in arguments or "-h" in arguments:
            return print_help()
        return _run(parse_options(arguments))
    except TandemError as error:
        failure = error
    except BrokenPipeError:
        failure = TandemError("standard output was closed by the program that reads it")
    except KeyboardInterrupt:
        failure = TandemError("stopped by Ctrl-C")
        failure.exit_code = EXIT_INTERRUPTED
    except MemoryError:
        failure = TandemError("out of memory", "close other programs, then start again")
    Output(asks_for_json(arguments)).failed(failure)
    return print_error(str(failure), failure.exit_code)


def _run(options: Options) -> int:
    output = Output(options.as_json, options.verbose)
    try:
        client = client1 if options.clientid == 1 else client2
        client.run(options, output)
    finally:
        wire.close_sleep_sockets()
    return 0


def print_help() -> int:
    """Print the usage on standard output, and return the exit code.

    Raises:
        TandemError: Standard output cannot be written.
    """
    if sys.stdout is None:
        raise TandemError("the help cannot be written: standard output is closed")
    try:
        print(USAGE, end="", flush=True)
    except OSError as error:
        sys.stdout = None  # or Python would write it again, and fail again, at exit
        raise TandemError(f"the help cannot be written to standard output: {error.strerror}") from None
    return 0


def print_error(text: str, exit_code: int) -> int:
    """Print one line on standard error, if it can be written, and return the exit code."""
    try:
        if sys.stderr is not None:
            print(f"tandem client: {printable(text)}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = None  # or Python would write it again at exit, and change the exit code
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
