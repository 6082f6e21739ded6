"""Network namespaces: making one, and doing something inside. Needs Linux and the rights of the namespaces' owner.

A socket belongs for ever to the namespace in which it was made, and a process to the one in which it was started.
So one thread can serve several hosts: it enters a namespace, opens a socket there, and comes back.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000  # from linux/sched.h


class NetNamespace:
    """A network namespace. It vanishes when it is closed and nothing is left inside."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def path(self) -> str:
        """A path by which other processes can name it, as long as it is open here."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be in the namespace within the block."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _call("setns", self._fd, CLONE_NEWNET)
            try:
                yield
            finally:
                _call("setns", before, CLONE_NEWNET)
        finally:
            os.close(before)

    def close(self) -> None:
        """Let it go."""
        os.close(self._fd)


def new_namespace() -> NetNamespace:
    """Make a network namespace. It has nothing but a loopback device that is down.

    Raises:
        OSError: the system does not allow it.
    """
    before = current_namespace()
    try:
        _call("unshare", CLONE_NEWNET)
        made = current_namespace()
        _call("setns", before._fd, CLONE_NEWNET)
        return made
    finally:
        before.close()


def current_namespace() -> NetNamespace:
    """Return the network namespace of this thread."""
    return NetNamespace(os.open("/proc/thread-self/ns/net", os.O_RDONLY))


def is_in_user_namespace() -> bool:
    """Return whether root here is just the one user of a user namespace, not the root of the machine."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2] == "1"


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns comes with Python 3.12
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
