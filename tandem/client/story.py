"""What the screen tells, arrow by arrow, while the exchange runs. Writes to standard output only.

As text for people, or (`--format json`) as one JSON object a line for programs that watch.
"""

import json
import sys

from tandem.client.failures import ClientError
from tandem.protocol.arrows import ARROWS
from tandem.protocol.printable import encodable, printable, printable_bytes


class Output:
    def __init__(self, as_json: bool = False, verbose: bool = False) -> None:
        self._as_json = as_json
        self._verbose = verbose

    def note(self, words: str) -> None:
        """Something that is no arrow: connected, listening, waiting, a stranger at the door."""
        if self._as_json:
            self._write(json.dumps({"note": words}))
        else:
            self._write(f"     {printable(words)}")

    def arrow(self, number: int, data: bytes, words: str) -> None:
        """One arrow of the exchange has happened; `data` are its bytes."""
        sender, receiver, what = ARROWS[number]
        if self._as_json:
            text = data.decode(errors="backslashreplace")
            self._write(json.dumps({"arrow": number, "bytes": len(data), "text": text}))
            return
        self._write(f"  {number}  {sender} -> {receiver}  {what}, {len(data)} bytes: {printable(words)}")
        if self._verbose:
            self._write(f"     | {printable_bytes(data)}")

    def finished(self, words: str) -> None:
        """The last line: our part is done."""
        if self._as_json:
            self._write(json.dumps({"finished": words}))
        else:
            self._write(printable(words))

    @staticmethod
    def _write(line: str) -> None:
        """One line, at once. A terminal that lacks a character gets an escape in its place."""
        if sys.stdout is None:  # closed before we began: nobody wants to read it
            return
        try:
            print(encodable(line, sys.stdout.encoding), flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stdout = None  # or it would be tried, and told, once more at the end
            raise ClientError(
                f"standard output cannot be written: {error.strerror}", "a terminal, or a file on a disk with room"
            ) from error
