"""The network between the hosts: a switch in the lab. Every frame passes through it, is captured, and goes on.

As each frame waits here, no program can send more than is captured. The way to client 1 may be slow and lossy. The seed
chooses the frames that are lost.
"""

from collections.abc import Callable
from random import Random

from tandem.examiner.lab.hosts.hosts import Host
from tandem.examiner.lab.hosts.segments import IPV4, ether_type
from tandem.examiner.scenario import Path
from tandem.net.event_loop import EventLoop

MAX_FRAME = 65_536
BATCH = 32  # frames of one host in one turn of the loop

OnFrame = Callable[[bytes, str], None]  # a frame that was sent, and what happens to it: "" or "lost"


class Switch:
    """Carries frames between hosts."""

    def __init__(self, loop: EventLoop, hosts: list[Host], slow: Host, path: Path, random: Random) -> None:
        """Start to carry. `path` is the way to and from the host `slow`."""
        self._loop = loop
        self._hosts = hosts
        self._by_mac = {host.mac: host for host in hosts}
        self._slow = slow
        self._path = path
        self._random = random
        self.on_sent: OnFrame = lambda frame, fate: None
        self.on_delivered: Callable[[bytes], None] = lambda frame: None
        self.on_disturbed: Callable[[str], None] = lambda what: None  # for the first frame that is delayed, and lost
        self._disturbed: set[str] = set()
        for host in hosts:
            self._watch(host)

    def _watch(self, host: Host) -> None:
        self._loop.watch(host.cable, lambda: self._read(host))

    def _read(self, source: Host) -> None:
        for _ in range(BATCH):
            try:
                frame = source.cable.recv(MAX_FRAME)
            except BlockingIOError:
                return
            self._take(source, frame)

    def _take(self, source: Host, frame: bytes) -> None:
        target = self._by_mac.get(frame[:6])
        targets = [target] if target else [host for host in self._hosts if host is not source]
        is_slow = ether_type(frame) == IPV4 and self._slow in (source, *targets)
        if is_slow and self._path.loss and self._random.random() < self._path.loss:
            self._disturb("loss")
            self.on_sent(frame, "lost")
            return
        self.on_sent(frame, "")
        if is_slow and self._path.delay_s:
            self._disturb("delay")
            self._loop.after(self._path.delay_s, lambda: self._deliver(targets, frame))
        else:
            self._deliver(targets, frame)

    def _disturb(self, what: str) -> None:
        if what not in self._disturbed:
            self._disturbed.add(what)
            self.on_disturbed(what)

    def _deliver(self, targets: list[Host], frame: bytes) -> None:
        self.on_delivered(frame)
        for target in targets:
            try:
                target.cable.send(frame)
            except OSError:
                pass  # its queue is full: the frame is lost, as in a real network
