"""python3 -m tandem: runs the client, or one of the other commands.

Imports little: the client starts without the rest of the project. A Python that is too old gets its one sentence from
tandem/__init__.py.
"""

import os
import signal
import sys
from types import FrameType

STOPPED = 130  # the exit code after Ctrl-C, as shells have it
_OUT_OF_MEMORY = (  # what Python, its modules and the system's loader say then
    "can't start new thread",
    "unknown encoding",
    "can't load unicodedata",
    "map segment",
    "allocate memory",
    "without exception set",
    "without setting an exception",
)
_OUT_OF_DESCRIPTORS = "Too many open files"


def run() -> None:
    """Run the command line, and exit with its code. This is the installed command `tandem`."""
    sys.unraisablehook = _report_unraisable
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # before a command runs
        code = _print_error("stopped by Ctrl-C", STOPPED)
    except Exception as error:
        code = _print_exception(error)
    if code == STOPPED:
        # Not through Python's end, which takes some handled interrupts for unhandled ones (exit code -2).
        os._exit(code)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command is done, and Python gives up other handlers at its end
    sys.exit(code)


def _print_exception(error: Exception) -> int:
    """Print the line about an error that the environment caused. Return the exit code. Raise the error of a bug."""
    if signal.getsignal(signal.SIGINT) is _do_nothing:  # a library has made another exception of our KeyboardInterrupt
        return _print_error("stopped by Ctrl-C", STOPPED)
    reason = _reason(error)
    if not reason:
        raise error
    return _print_error(reason, 1)


def _reason(error: Exception) -> str:
    """Return the line about an error that the environment caused, or "" for a bug."""
    if _is_out_of_memory(error):
        reason = f" ({error})" if str(error) else ""
        return f"there is not enough memory to run{reason}: raise the limit (ulimit -v), or end other programs"
    if _OUT_OF_DESCRIPTORS in str(error):
        return "this process may not open more files: raise the limit (ulimit -n 1024), or close what it inherited"
    if isinstance(error, ImportError):
        from tandem.protocol.errors import TandemError

        return str(TandemError(f"a module of this Python cannot be imported: {error}", "install a complete Python"))
    if isinstance(error, OSError):
        return f"the operating system reports an error: {error}"
    return ""


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether memory is the reason: without it Python may also fail to import, decode or start a thread."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)


def _report_unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """Print an exception that Python ignores, except two kinds.

    After a MemoryError the line about memory follows. A signal that arrives while signals become ignored
    (tandem/server/signals.py) is an OSError for Python, and no error for the user.
    """
    error = lost.exc_value
    if not isinstance(error, MemoryError) and not str(error).endswith(" ignored due to race condition"):
        sys.__unraisablehook__(lost)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Handle Ctrl-C: the command ends in order. A second Ctrl-C has no effect."""
    signal.signal(signal.SIGINT, _do_nothing)
    raise KeyboardInterrupt


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Ignore the signal. Unlike SIG_IGN it is not inherited, and Python does not warn of an earlier signal."""


def _print_error(words: str, code: int) -> int:
    """Print one line on standard error. Return the exit code."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"tandem: {words}\n")
    except OSError:
        pass  # the exit code says enough
    return code


def _run(arguments: list[str]) -> int:
    if arguments[:2] == ["help", "client"]:
        arguments = ["client", "--help"]
    if arguments[:1] == ["client"]:
        from tandem.client.__main__ import main as client

        return client(arguments[1:])
    if arguments[:1] == ["doctor"]:
        sys.path.append(sys.path.pop(0))  # the current folder, where the doctor may find a file socket.py
    if arguments[:1] == ["serve"] or (arguments[:1] == ["board"] and "token" not in arguments):
        from tandem.net.process_signals import exit_on_signals

        exit_on_signals()  # first: imports take most of the start
    from tandem.cli import main

    return main(arguments)


if __name__ == "__main__":
    run()
