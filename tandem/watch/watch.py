"""`tandem watch`: runs the tap until Ctrl-C, and prints what passes."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tandem.net.listeners import open_listener, reach_of
from tandem.protocol.address import show_address
from tandem.protocol.framing import PLAIN
from tandem.report.screen import echo, flush, write_error
from tandem.watch.tap import Tap, resolve
from tandem.watch.tapped_connection import Show
from tandem.watch.watch_capture import WatchCapture
from tandem.watch.watch_events import WatchEvent
from tandem.watch.watch_lines import JSON, TEXT, json_line, text_lines


@dataclass(frozen=True)
class WatchOptions:
    """The options of the command."""

    listen: tuple[str, int]
    to: tuple[str, int]
    framing: str = PLAIN
    format: str = TEXT
    capture: Path | None = None
    colour: bool = False
    encoding: str | None = None  # of standard output


def watch(options: WatchOptions) -> None:
    """Pass connections on until Ctrl-C.

    Raises:
        KeyboardInterrupt: with a text if that cut something off.
        TandemError: the tap cannot begin, or its output cannot be written.
    """
    targets = resolve(*options.to)
    with ExitStack() as stack:
        listener = stack.enter_context(open_listener(*options.listen))
        capture = WatchCapture(options.capture) if options.capture else None
        if capture is not None:
            stack.callback(capture.close)
        tap = Tap(listener, targets, options.framing, _printer(options), capture)
        where = show_address(options.listen[0], listener.getsockname()[1])
        write_error(f"tandem watch: passing on to {show_address(*options.to)}, listening on {where}\n")
        write_error(f"tandem watch: {reach_of(listener)}\n")
        try:
            tap.run()
        except KeyboardInterrupt:
            cut = tap.close()
            raise KeyboardInterrupt(*([cut] if cut else [])) from None
        except BaseException:
            tap.close()
            raise


def _printer(options: WatchOptions) -> Show:
    """Return the function that prints an event. While nobody takes the output, the connections wait."""

    def show(time_ns: int, number: int, event: WatchEvent) -> None:
        if options.format == JSON:
            lines = [json_line(time_ns, number, event)]
        else:
            lines = list(text_lines(time_ns, number, event, options.colour, options.encoding))
        echo(f"{line}\n" for line in lines)
        flush()

    return show
