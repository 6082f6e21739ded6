"""The supervisor of worker processes: starts them, starts them again when they die, passes signals on.

Owns processes and nothing else: the work of a worker is an argument. The supervisor serves no connection, so nothing
from the network can end it.
"""

import os
import select
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from types import FrameType

from tandem.net.line_writer import Destination, LineWriter, report, timestamped_line
from tandem.net.process_signals import HANGUP, STOP_SIGNALS, exit_on_signals, ignore_signals
from tandem.protocol.errors import TandemError

RESTART_DELAY = 1.0  # seconds before a worker that ended sooner than that is started again
# Seconds for the workers to end after a signal. The disk may be slow, or a worker stopped (SIGSTOP).
KILL_TIMEOUT = 30.0

Work = Callable[[Callable[[], None]], None]  # runs a worker until SIGTERM; it calls its argument when it is ready


class Supervisor:
    """Keeps a number of workers running until SIGTERM or Ctrl-C. Passes SIGHUP on: each opens its log file again.

    It writes its log lines without a thread, because it forks. A line that cannot be written is dropped.
    """

    def __init__(self, workers: int, work: Work, log: Destination) -> None:
        """Start nothing yet. `log` must not block."""
        self._count = workers
        self._work = work
        self._log = LineWriter(log)
        self._is_ready = False
        self._reopen_log = False  # SIGHUP came: open the log file again
        self._started_at: dict[int, float] = {}  # by process id: time.monotonic()
        self._stopping = False
        self._killed: set[int] = set()  # process ids of workers that did not end within KILL_TIMEOUT
        self._alive_recv, self._alive_send = os.pipe()  # a worker reads its end when the supervisor has gone
        # Each signal writes a byte here. A signal that comes just before a call that blocks would else be handled only
        # when that call returns.
        self._signal_recv, self._signal_send = socket.socketpair()

    def run(self, ready: Callable[[], None]) -> None:
        """Start the workers, call `ready` when all are ready, and return when all have ended after a signal.

        Raises:
            SystemExit: a worker could not start, and has reported why.
        """
        for end in (self._signal_recv, self._signal_send):
            end.setblocking(False)
        signal.set_wakeup_fd(self._signal_send.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        if signal.getsignal(signal.SIGCHLD) in (signal.SIG_IGN, signal.SIG_DFL):  # the board has a handler of its own
            signal.signal(signal.SIGCHLD, _do_nothing)  # its byte is enough
        if HANGUP:
            signal.signal(HANGUP, self._hang_up)
        try:
            if all(self._start_and_wait() for _ in range(self._count)):
                self._is_ready = True
                ready()
            elif not self._stopping:
                self._stop(signal.SIGTERM, None)
                self._wait_for_all()
                raise SystemExit(1)  # the worker has reported why
            self._wait_for_all()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            ignore_signals()
            signal.set_wakeup_fd(-1)
            os.close(self._alive_recv)
            os.close(self._alive_send)
            self._signal_recv.close()
            self._signal_send.close()

    def _wait_for_all(self) -> None:
        while self._started_at:
            pid, status = self._wait_for_one()
            started_at = self._started_at.pop(pid, None)
            if pid in self._killed:
                self._report(f"worker {pid} did not end within {KILL_TIMEOUT:g} s and was killed")
            if self._stopping or started_at is None:
                continue
            self._report(f"worker {pid} ended {_describe_end(status)}: starting another")
            if time.monotonic() - started_at < RESTART_DELAY:
                time.sleep(RESTART_DELAY)
            self._replace()

    def _wait_for_one(self) -> tuple[int, int]:
        """Wait until a worker has ended. Return its process id and its status, as `os.waitpid` does."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                return pid, status
            select.select([self._signal_recv], [], [])
            self._signal_recv.recv(4096)

    def _replace(self) -> None:
        """Start one more worker. Try again until the system allows it."""
        while not self._stopping:
            try:
                os.close(self._start())
                return
            except OSError as error:
                self._report(f"no worker can be started: {error.strerror}; will be tried again")
                time.sleep(RESTART_DELAY)

    def _start_and_wait(self) -> bool:
        """Start a worker. Return whether it became ready."""
        try:
            ready_recv = self._start()
        except OSError as error:
            self._report(f"no worker can be started: {error.strerror}")
            return False
        try:
            return os.read(ready_recv, 1) != b""
        finally:
            os.close(ready_recv)

    def _start(self) -> int:
        """Start a worker. Return a descriptor that gives a byte when it is ready, or its end if it fails."""
        ready_recv, ready_send = os.pipe()
        signals = (*STOP_SIGNALS, HANGUP) if HANGUP else STOP_SIGNALS
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until the supervisor knows it, or it has its own handlers
        try:
            pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            os.close(ready_recv)
            os.close(ready_send)
            raise
        if not pid:
            os.close(ready_recv)
            os.close(self._alive_send)
            self._run_worker(ready_send, signals)
        self._started_at[pid] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.close(ready_send)
        if self._stopping:  # the signal came before this worker was known
            _signal(pid, signal.SIGTERM)
        return ready_recv

    def _run_worker(self, ready_send: int, signals: tuple[signal.Signals, ...]) -> None:
        """Run the worker in the new process, and end the process. It never returns."""
        code = 1
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            os.setpgid(0, 0)  # a terminal sends Ctrl-C to the whole group, and the supervisor passes it on
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a terminal may stop another group that writes to it
            exit_on_signals()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            threading.Thread(target=self._end_with_supervisor, daemon=True).start()
            self._work(partial(_send_ready, ready_send))
            code = 0
        except TandemError as error:
            self._report(str(error))
        except Exception:
            self._report(f"bug: worker {os.getpid()} has ended: {traceback.format_exc()}")
        finally:
            os._exit(code)

    def _end_with_supervisor(self) -> None:
        os.read(self._alive_recv, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Pass the first signal on as SIGTERM, and later ones as they are: Ctrl-C then ends the workers at once."""
        passed_on = number if self._stopping else signal.SIGTERM
        if not self._stopping:
            signal.setitimer(signal.ITIMER_REAL, KILL_TIMEOUT)  # waiting for a worker has no limit of its own
        self._stopping = True
        for pid in list(self._started_at):
            _signal(pid, passed_on)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        """End the workers that are left. The signal reaches them even if they are stopped."""
        for pid in list(self._started_at):
            self._killed.add(pid)
            _signal(pid, signal.SIGKILL)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._reopen_log = True
        for pid in list(self._started_at):
            _signal(pid, number)

    def _report(self, text: str) -> None:
        """Write a line to the log, or on standard error until all workers are ready."""
        if not self._is_ready:
            report(text)
            return
        if self._reopen_log:
            self._reopen_log = False
            self._log.reopen()
        self._log.write(timestamped_line(text))


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Handle SIGCHLD."""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended already


def _send_ready(descriptor: int) -> None:
    try:
        os.write(descriptor, b"!")
    except BrokenPipeError:
        pass  # the supervisor does not wait for a worker that it started again
    os.close(descriptor)


def _describe_end(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"by signal {os.WTERMSIG(status)}"
    return f"with exit code {os.waitstatus_to_exitcode(status)}"
