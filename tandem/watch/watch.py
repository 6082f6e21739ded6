"""`tandem watch`: runs the tap until Ctrl-C, and prints what passes."""

import signal
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tandem.net.listeners import open_listener, reach_of
from tandem.protocol.address import show_address
from tandem.protocol.framing import PLAIN
from tandem.report.screen import echo, flush, print_error, write_error
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
        ctrl_c = CtrlC()
        tap = Tap(listener, targets, options.framing, _printer(options, ctrl_c), capture)
        where = show_address(options.listen[0], listener.getsockname()[1])
        write_error(f"tandem watch: passing on to {show_address(*options.to)}, listening on {where}\n")
        write_error(f"tandem watch: {reach_of(listener)}\n")
        before = _take_ctrl_c(ctrl_c)
        try:
            tap.run(until=lambda: ctrl_c.came)
        except KeyboardInterrupt:
            pass  # in the output, which nobody takes
        except BaseException:
            signal.signal(signal.SIGINT, before)
            cut = tap.close()
            if cut:
                print_error(cut)
            raise
        cut = tap.close()
        raise KeyboardInterrupt(*([cut] if cut else []))


class CtrlC:
    """The handler of Ctrl-C. It lets the bytes in hand go on, and interrupts nothing but the output."""

    def __init__(self) -> None:
        self.came = False
        self.may_interrupt = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the signal. Raise KeyboardInterrupt where that loses no bytes."""
        self.came = True
        if self.may_interrupt:
            self.may_interrupt = False
            raise KeyboardInterrupt


def _take_ctrl_c(ctrl_c: CtrlC) -> Any:
    """Set the handler, unless Ctrl-C is ignored, as in the background. Return the handler before it."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, ctrl_c)
    return before


def _printer(options: WatchOptions, ctrl_c: CtrlC) -> Show:
    """Return the function that prints an event. While nobody takes the output, the connections wait."""

    def show(time_ns: int, number: int, event: WatchEvent) -> None:
        if options.format == JSON:
            lines = [json_line(time_ns, number, event)]
        else:
            lines = list(text_lines(time_ns, number, event, options.colour, options.encoding))
        ctrl_c.may_interrupt = True
        echo(f"{line}\n" for line in lines)
        flush()
        ctrl_c.may_interrupt = False

    return show
