"""python3 -m tandem.client 1|2 …: the assignment's program, alone."""

import sys

from tandem.client import client1, client2
from tandem.client.failures import Failure
from tandem.client.options import USAGE, UsageError, parse_options
from tandem.client.story import Story
from tandem.exchange.arrows import arrow_words
from tandem.exchange.printable import printable


def main(arguments: list[str]) -> int:
    """Runs client 1 or client 2. Returns the exit code: 0 done, 1 it did not work, 2 wrong usage."""
    if "--help" in arguments or "-h" in arguments:
        try:
            print(USAGE, end="", flush=True)
        except BrokenPipeError:
            return complain("nobody reads the help any more: standard output was closed", 1)
        return 0
    try:
        options = parse_options(arguments)
    except UsageError as error:
        return complain(f"{error}", 2)
    story = Story(options.as_json, options.verbose)
    try:
        client = client1 if options.clientid == 1 else client2
        client.run(options, story)
    except Failure as failure:
        at = f"{arrow_words(failure.arrow)}: " if failure.arrow else ""
        return complain(f"{at}{failure.what}. Try: {failure.help}", 1)
    except BrokenPipeError:
        return complain("nobody reads the story any more: standard output was closed", 1)
    except KeyboardInterrupt:
        return complain("stopped by Ctrl-C", 1)
    return 0


def complain(words: str, code: int) -> int:
    """One line on standard error, if it can be written. Returns the exit code."""
    if sys.stderr is None:  # closed before we began; print would take standard output in its place
        return code
    try:
        print(f"tandem client: {printable(words)}", file=sys.stderr)
    except OSError:
        sys.stderr = None  # or it would be tried once more at the end, which changes the exit code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
