"""A client's lines on standard output while the exchange runs, arrow by arrow.

As text for people, or as one JSON object a line for programs (`--format json`). Errors are for standard error; only
programs get them here, too.
"""

import json
import sys

from tandem.client.failures import ClientError
from tandem.protocol.arrows import ARROWS
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import encodable, printable, printable_bytes


class Output:
    """Standard output of a client. Every line is written at once.

    All methods raise BrokenPipeError if nobody reads the output any more, and ClientError if it cannot be written.
    """

    def __init__(self, as_json: bool = False, verbose: bool = False) -> None:
        self._as_json = as_json
        self._verbose = verbose

    def note(self, text: str) -> None:
        """Print something that is not an arrow: connected, listening, waiting, a rejected connection."""
        if self._as_json:
            self._write(json.dumps({"note": text}))
        else:
            self._write(f"     {printable(text)}")

    def arrow(self, number: int, data: bytes, text: str) -> None:
        """Print that an arrow of the exchange has happened; `data` are its bytes."""
        sender, receiver, what = ARROWS[number]
        if self._as_json:
            came = data.decode(errors="backslashreplace")
            self._write(json.dumps({"arrow": number, "bytes": len(data), "text": came}))
            return
        self._write(f"  {number}  {sender} -> {receiver}  {what}, {len(data)} bytes: {printable(text)}")
        if self._verbose:
            self._write(f"     | {printable_bytes(data)}")

    def finished(self, text: str) -> None:
        """Print the last line: this client is done."""
        if self._as_json:
            self._write(json.dumps({"finished": text}))
        else:
            self._write(printable(text))

    def failed(self, error: TandemError) -> None:
        """Print the last line for programs, in place of `finished`. People read the line on standard error."""
        if self._as_json:
            arrow = getattr(error, "arrow", 0) or None
            failure = {"failed": error.what, "try": error.help, "arrow": arrow, "exit_code": error.exit_code}
            try:
                self._write(json.dumps(failure))
            except (BrokenPipeError, ClientError):
                pass  # the line on standard error is all that can be shown

    @staticmethod
    def _write(line: str) -> None:
        """Write one line. A character that the terminal cannot show is replaced by its escape."""
        if sys.stdout is None:  # it was closed before we started: there is no reader
            return
        try:
            print(encodable(line, sys.stdout.encoding), flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stdout = None  # or Python would write it again, and fail again, at exit
            raise ClientError(
                f"standard output cannot be written: {error.strerror}",
                "write to a terminal, or to a file on a disk with free space",
            ) from error
