"""Several processes for one ground: starts them, starts them again when they die, passes signals on.

Owns processes and nothing else: what a worker does is given. The supervisor itself serves nobody, so that
nothing that comes from the network can end it.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from types import FrameType

from tandem.net.line_writer import Destination, LineWriter, say, timed_line
from tandem.net.process_signals import HANGUP, STOPPING, exit_on_signals, ignore_signals

PAUSE = 1.0  # seconds before a worker is started again that lived for less

Work = Callable[[Callable[[], None]], None]  # what a worker does until SIGTERM; it calls what it is given when ready


class CannotStartError(Exception):
    """A worker cannot do its work; the text says why and what to try."""


class Supervisor:
    """Keeps a number of workers running until SIGTERM or Ctrl-C. SIGHUP is passed on: each opens its log file again.

    It has no thread for its log, because it forks: its lines are written at once. None of them can end it.
    """

    def __init__(self, workers: int, work: Work, log: Destination) -> None:
        """`log` must not block."""
        self._count = workers
        self._work = work
        self._log = LineWriter(log)
        self._is_ready = False
        self._hung_up = False  # is the log file to be opened again?
        self._started: dict[int, float] = {}  # by process id: when, time.monotonic()
        self._stopping = False
        self._lifeline, self._anchor = os.pipe()  # a worker sees the end of it when we are gone

    def run(self, ready: Callable[[], None]) -> None:
        """Calls `ready` when all are; returns when they have ended after a signal. SystemExit: they cannot start."""
        for number in STOPPING:
            signal.signal(number, self._stop)
        if HANGUP:
            signal.signal(HANGUP, self._hang_up)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, the system tells nobody which child ended
        try:
            if all(self._start_and_wait() for _ in range(self._count)):
                self._is_ready = True
                ready()
            elif not self._stopping:
                self._stop(signal.SIGTERM, None)
                self._wait_for_all()
                raise SystemExit(1)  # the worker has said why
            self._wait_for_all()
        finally:
            ignore_signals()
            os.close(self._lifeline)
            os.close(self._anchor)

    def _wait_for_all(self) -> None:
        while self._started:
            pid, status = os.waitpid(-1, 0)
            began = self._started.pop(pid, None)
            if self._stopping or began is None:
                continue
            self._report(f"worker {pid} ended {_how(status)}; another is started in its place")
            if time.monotonic() - began < PAUSE:
                time.sleep(PAUSE)
            self._replace()

    def _replace(self) -> None:
        """One more, however often the system has none to give."""
        while not self._stopping:
            try:
                os.close(self._start())
                return
            except OSError as error:
                self._report(f"no worker can be started: {error.strerror}; will be tried again")
                time.sleep(PAUSE)

    def _start_and_wait(self) -> bool:
        """Starts a worker; whether it got so far that it is ready."""
        try:
            told = self._start()
        except OSError as error:
            self._report(f"no worker can be started: {error.strerror}")
            return False
        try:
            return os.read(told, 1) != b""
        finally:
            os.close(told)

    def _start(self) -> int:
        """Starts a worker. From the descriptor that is returned comes a byte when it is ready."""
        told, tell = os.pipe()
        signals = (*STOPPING, HANGUP) if HANGUP else STOPPING
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until it is in the table, or has its own ears
        try:
            pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            os.close(told)
            os.close(tell)
            raise
        if not pid:
            os.close(told)
            os.close(self._anchor)
            self._be_worker(tell, signals)
        self._started[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.close(tell)
        if self._stopping:  # the others were told before this one was there
            _signal(pid, signal.SIGTERM)
        return told

    def _be_worker(self, tell: int, signals: tuple[signal.Signals, ...]) -> None:
        """The rest of a worker's life. It never returns: what follows is the supervisor's."""
        code = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C goes to the whole group at a terminal: the supervisor passes it on
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a terminal may stop another group that writes to it
            exit_on_signals()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            threading.Thread(target=self._end_with_supervisor, daemon=True).start()
            self._work(partial(_tell, tell))
            code = 0
        except CannotStartError as trouble:
            self._report(str(trouble))
        except Exception:
            self._report(f"bug: worker {os.getpid()} has ended: {traceback.format_exc()}")
        finally:
            os._exit(code)

    def _end_with_supervisor(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """The first of any kind is passed on as SIGTERM; after that, Ctrl-C as it is: it ends them at once."""
        passed_on = number if self._stopping else signal.SIGTERM
        self._stopping = True
        for pid in list(self._started):
            _signal(pid, passed_on)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._hung_up = True
        for pid in list(self._started):
            _signal(pid, number)

    def _report(self, words: str) -> None:
        """To the log; until all are ready, to whoever has just started us."""
        if not self._is_ready:
            say(words)
            return
        if self._hung_up:
            self._hung_up = False
            self._log.reopen()
        self._log.write(timed_line(words))


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended by itself


def _tell(descriptor: int) -> None:
    try:
        os.write(descriptor, b"!")
    except BrokenPipeError:
        pass  # nobody waits for one that was started again
    os.close(descriptor)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"by signal {os.WTERMSIG(status)}"
    return f"with exit code {os.waitstatus_to_exitcode(status)}"
