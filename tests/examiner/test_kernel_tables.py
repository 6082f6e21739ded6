"""The tables of the kernel: sockets, and what processes use."""

import os
import socket
import sys
from contextlib import closing, nullcontext

import pytest

from tandem.examiner.lab.programs.process_table import ProcessUse, parse_stat, read_processes, use_of
from tandem.examiner.lab.programs.socket_table import SocketTable, sockets_of, takes

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_own_listener_is_found(host: str) -> None:
    table = SocketTable(nullcontext)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener, closing(table):
        address = listener.getsockname()[:2]
        [found] = [each for each in table.listeners() if each.address == address]
        assert found.is_listening
        assert found.inode in sockets_of([os.getpid()])
        with socket.create_connection(address) as connection:
            own = [each for each in table.sockets() if each.address == connection.getsockname()[:2]]
            assert [each.is_listening for each in own] == [False]
        assert connection.fileno() == -1
    assert found.inode not in sockets_of([os.getpid()])


@pytest.mark.parametrize(
    ("bound", "does"),
    [("0.0.0.0", True), ("::", True), ("10.0.0.12", True), ("127.0.0.1", False), ("127.0.1.1", False)],
)
def test_who_takes_connections_to_its_host(bound: str, does: bool) -> None:
    assert takes(bound, "10.0.0.12") == does


@linux
def test_own_process() -> None:
    [own] = [each for each in read_processes() if each.pid == os.getpid()]
    assert own.parent == os.getppid()
    assert own.memory_bytes > 1 << 20


def test_a_name_that_looks_like_the_end_of_a_name() -> None:
    fields = " ".join(["S", "7", *["0"] * 9, "100", "50", *["0"] * 8, "3", "0"])
    assert parse_stat(f"12 (a) S 1 (b) {fields}").parent == 7


def test_a_program_is_all_processes_below_it() -> None:
    tree = [ProcessUse(pid, parent, 10, 1.0) for pid, parent in ((1, 0), (5, 1), (6, 5), (7, 6), (8, 1), (9, 8))]
    use = use_of(5, tree)
    assert (use.processes, use.memory_bytes, use.cpu_s) == (3, 30, 3.0)
