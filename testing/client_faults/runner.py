"""Plays scripts: starts the client as a process of its own, plays the other sides, and tells what came of it.

Judges nothing: the laws do. Whatever happens, the client and all sockets are gone when `run` returns.
"""

import asyncio
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from testing.client_faults.scripts import STYLES, Script
from testing.client_faults.talk import (
    CALLER,
    GROUND,
    PEER,
    Close,
    Endless,
    Fin,
    Halt,
    Pause,
    Reset,
    Send,
    Step,
    TakeBytes,
    TakeMessage,
    Talk,
)
from testing.processes import ROOT, team_options

HANG = 30.0  # seconds after which a client hangs: its own limits let it end in a tenth of that
AMPLE = ("--timeout", "2", "--wait", "15")  # where the client must finish: a busy machine is no excuse
SMALL = ("--timeout", "0.3", "--wait", "0.5")  # where it may have to wait for a limit


class Outcome(NamedTuple):
    """How a client ended, and what the other sides have seen."""

    code: int | None  # None: it did not end, and was killed
    out: str
    err: str
    ground_sent: bytes
    handed_over: bytes  # what came from client 1 at client 2
    seconds: float


async def run_all(
    scripts: Sequence[Script], at_once: int, told: Callable[[Script, Outcome], object] = lambda script, outcome: None
) -> list[Outcome]:
    """Runs the scripts, some at a time. `told` hears of each when it has ended."""
    places = asyncio.Semaphore(at_once)

    async def in_turn(script: Script) -> Outcome:
        async with places:
            outcome = await run(script)
            told(script, outcome)
            return outcome

    ended = await asyncio.gather(*map(in_turn, scripts), return_exceptions=True)
    for trouble in ended:
        if isinstance(trouble, BaseException):
            raise trouble
    return [outcome for outcome in ended if isinstance(outcome, Outcome)]


async def run(script: Script) -> Outcome:
    """Runs one script to its end."""
    ground = Side(script.talk(GROUND))
    peer = Side(script.talk(PEER) if script.client == 1 else ())
    callers = []
    if script.client == 2:
        callers = [Side(talk) for talk in (*script.strangers(), script.talk(CALLER))]
    where = ("--peer", peer.listen()) if script.client == 1 else ("--listen", "127.0.0.1:0")
    limits = AMPLE if script.is_harmless else SMALL
    arguments = ("-m", "tandem.client", str(script.client), *team_options(), "--server", ground.listen(), *where)
    started = time.monotonic()
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        *(*arguments, *limits, *STYLES[script.style]),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert client.stdout
    playing = [asyncio.ensure_future(ground.serve())]
    if script.client == 1:
        playing.append(asyncio.ensure_future(peer.serve()))
    code: int | None = None
    said = b""
    try:
        async with asyncio.timeout(HANG):
            if script.client == 2:
                said = await client.stdout.readline()
                playing += [asyncio.ensure_future(caller.call(_port(said))) for caller in callers]
            code = await client.wait()
    except TimeoutError:
        pass  # it hangs: the code stays None
    finally:
        if client.returncode is None:
            client.kill()
        out, err = await client.communicate()
        for play in playing:
            play.cancel()
        troubles = await asyncio.gather(*playing, return_exceptions=True)
        for side in (ground, peer, *callers):
            side.finish()
    for trouble in troubles:
        if trouble and not isinstance(trouble, asyncio.CancelledError):
            raise trouble
    seconds = time.monotonic() - started
    return Outcome(code, _text(said + out), _text(err), bytes(ground.sent), bytes(peer.came), seconds)


def _port(line: bytes) -> int:
    """The port that client 2 names in its first line."""
    found = re.search(rb":(\d+) for client 1", line)
    assert found, line
    return int(found[1])


def _text(output: bytes) -> str:
    """What is no UTF-8 becomes something unprintable."""
    return output.decode(errors="surrogateescape").replace("\r\n", "\n")


class Side:
    """The other side of one conversation. `sent` and `came` are complete after `finish`."""

    def __init__(self, talk: Talk) -> None:
        self.sent = bytearray()
        self.came = bytearray()
        self._talk = talk
        self._listener: socket.socket | None = None
        self._socket: socket.socket | None = None

    def listen(self) -> str:
        """Takes a free port, and returns the address."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    async def serve(self) -> None:
        """Plays the talk to the first who connects; who comes back after that is refused."""
        assert self._listener
        self._socket, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        self._listener.close()
        await self._play(self._socket)

    async def call(self, port: int) -> None:
        """Plays the talk to who listens there."""
        self._socket = socket.socket()
        self._socket.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", port))
        except ConnectionError:
            return  # a stranger before us has brought the message: nobody listens any more
        await self._play(self._socket)

    def finish(self) -> None:
        """Takes what the client left on the way when it ended, and closes."""
        try:
            if self._listener and not self._socket:
                self._socket, _ = self._listener.accept()
                self._socket.setblocking(False)
            while self._socket and (data := self._socket.recv(65536)):
                self.came += data
        except OSError:
            pass  # nobody came, or we have closed before, or the connection is broken
        for owned in (self._listener, self._socket):
            if owned:
                owned.close()

    async def _play(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for step in self._talk:
                await self._step(connection, step)
            while connection.fileno() >= 0:
                await self._take(connection, 65536)
        except EOFError:
            connection.close()
        except OSError:
            pass  # the client has gone: the talk is over, and `finish` takes what is left

    async def _step(self, connection: socket.socket, step: Step) -> None:
        match step:
            case Send(data):
                await self._send(connection, data)
            case TakeMessage():
                while not self.came.endswith(b"}"):
                    await self._take(connection, 65536)
            case TakeBytes(count):
                while len(self.came) < count:
                    await self._take(connection, count - len(self.came))
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Endless(piece):
                while True:
                    await self._send(connection, piece)
                    await asyncio.sleep(0)
            case Halt():
                await asyncio.Event().wait()  # until the client has ended: then this is cancelled
            case Fin() | Close() | Reset():
                _end(connection, step)

    async def _send(self, connection: socket.socket, data: bytes) -> None:
        self.sent += data
        await asyncio.get_running_loop().sock_sendall(connection, data)

    async def _take(self, connection: socket.socket, most: int) -> None:
        """Takes what comes next. Raises EOFError at the end of the stream."""
        data = await asyncio.get_running_loop().sock_recv(connection, most)
        if not data:
            raise EOFError
        self.came += data


def _end(connection: socket.socket, how: Fin | Close | Reset) -> None:
    if isinstance(how, Fin):
        connection.shutdown(socket.SHUT_WR)
        return
    if isinstance(how, Reset):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
