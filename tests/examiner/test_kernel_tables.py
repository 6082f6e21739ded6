"""The tables of the kernel: sockets, and what processes use."""

import os
import socket
import sys

import pytest

from tandem.examiner.lab.process_table import ProcessUse, parse_stat, read_processes, use_of
from tandem.examiner.lab.socket_table import parse_table, read_sockets, sockets_of, takes

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:15AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0C00000A:15AF 0B00000A:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0
"""
TABLE_6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:15AF 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:15B0 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 98 1 0 100 0 0 10 0
"""  # noqa: E501

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.skipif(sys.byteorder != "little", reason="the tables here are of a little-endian machine")
def test_listeners_of_a_table() -> None:
    first, second = parse_table(TABLE.splitlines())
    assert (first.address, first.is_listening, first.inode) == (("127.0.0.1", 5551), True, 4711)
    assert (second.address, second.is_listening) == (("10.0.0.12", 5551), False)
    assert [each.address for each in parse_table(TABLE_6.splitlines())] == [("::", 5551), ("127.0.0.1", 5552)]


@linux
def test_an_own_listener_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        [found] = [each for each in read_sockets() if each.address == listener.getsockname() and each.is_listening]
        assert found.inode in sockets_of([os.getpid()])


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
