"""python3 -m tandem.client 1|2 …: the assignment's program, alone."""

import sys

from tandem.client import client1, client2, wire
from tandem.client.options import USAGE, Options, parse_options
from tandem.client.story import Output
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import printable

STOPPED = 130  # the exit code after Ctrl-C, as shells have it


def main(arguments: list[str]) -> int:
    """Runs client 1 or client 2. Returns the exit code: 0 done, 1 it did not work, 2 wrong usage, 130 Ctrl-C."""
    try:
        if "--help" in arguments or "-h" in arguments:
            return show_help()
        return _run(parse_options(arguments))
    except TandemError as error:
        return print_error(str(error), error.exit_code)
    except BrokenPipeError:
        return print_error("nobody reads the story any more: standard output was closed", 1)
    except KeyboardInterrupt:
        return print_error("stopped by Ctrl-C", STOPPED)
    except MemoryError:
        return print_error("there is not enough memory: end other programs, then start again", 1)


def _run(options: Options) -> int:
    story = Output(options.as_json, options.verbose)
    try:
        client = client1 if options.clientid == 1 else client2
        client.run(options, story)
    finally:
        wire.end_pauses()
    return 0


def show_help() -> int:
    """Returns the exit code."""
    try:
        if sys.stdout is not None:
            print(USAGE, end="", flush=True)
    except OSError as error:
        sys.stdout = None  # or it would be tried once more at the end
        raise TandemError(f"the help cannot be written to standard output: {error.strerror}") from None
    return 0


def print_error(words: str, code: int) -> int:
    """Print one line on standard error, if that can be written. Return the exit code."""
    try:
        if sys.stderr is not None:
            print(f"tandem client: {printable(words)}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = None  # or it would be tried once more at the end, and change the exit code
    return code


def end_silently(kind: type[BaseException], error: BaseException, traceback: object) -> None:
    """A second Ctrl-C, while the first one is being told, ends the program without a traceback."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, error.__traceback__)


if __name__ == "__main__":
    sys.excepthook = end_silently
    sys.exit(main(sys.argv[1:]))
