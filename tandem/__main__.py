"""python3 -m tandem …"""

import signal
import sys
from types import FrameType

STOPPED = 130  # the exit code after Ctrl-C, as shells have it
_WANT_OF_MEMORY = (  # what Python, its modules and the system's loader say then
    "can't start new thread",
    "unknown encoding",
    "can't load unicodedata",
    "map segment",
    "allocate memory",
)


def run() -> None:
    """The installed command `tandem`. The client starts without loading the rest of the project."""
    if sys.version_info < (3, 11):  # noqa: UP036 (a clone meets any Python)
        print("tandem needs Python 3.11 or later; this is " + sys.version.split()[0], file=sys.stderr)
        sys.exit(2)
    sys.unraisablehook = _tell_what_matters
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # so early that no command has begun
        code = _tell("stopped by Ctrl-C", STOPPED)
    except Exception as error:
        if not _is_want_of_memory(error):
            if not isinstance(error, ImportError):
                raise
            sys.exit(_tell(f"this Python lacks something: {error}. Try: a complete Python 3.11 or later", 1))
        reason = f" ({error})" if str(error) else ""
        code = _tell(
            f"there is not enough memory to run{reason}: raise the limit (ulimit -v), or end other programs", 1
        )
    if code == STOPPED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python gives up its own handlers at its end, but not this one
    sys.exit(code)


def _is_want_of_memory(error: Exception) -> bool:
    """Where memory ends, Python may also say that a library, a codec or a thread cannot be had."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _WANT_OF_MEMORY)


def _tell_what_matters(lost: "sys.UnraisableHookArgs") -> None:
    """Show an exception that Python itself had to ignore, except two kinds.

    After a MemoryError the line about the memory follows. A signal that comes in the very moment in which signals
    become ignored (tandem/server/signals.py) is an OSError to Python, and nothing to a user.
    """
    error = lost.exc_value
    if not isinstance(error, MemoryError) and not str(error).endswith(" ignored due to race condition"):
        sys.__unraisablehook__(lost)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C. What was begun is ended in order, and in a moment: a second one changes nothing."""
    signal.signal(signal.SIGINT, _do_nothing)
    raise KeyboardInterrupt


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Unlike SIG_IGN it is not inherited by other programs, and Python does not warn of a signal that came before."""


def _tell(words: str, code: int) -> int:
    """One line on standard error. Returns the exit code."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"tandem: {words}\n")
    except OSError:
        pass  # nobody can be told
    return code


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["client"]:
        from tandem.client.__main__ import main as client

        return client(arguments[1:])
    if arguments[:1] == ["serve"] or (arguments[:1] == ["board"] and "token" not in arguments):
        from tandem.net.process_signals import exit_on_signals

        exit_on_signals()  # at once: most of a start is importing
    from tandem.cli import main

    return main(arguments)


if __name__ == "__main__":
    run()
