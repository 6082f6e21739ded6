"""The page of a class shows the addresses of the server that students type, and that the server has stopped."""

import asyncio
import os
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from tandem.board.feed import channel, server_health, server_status
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import MAX_SILENCE_S, ServerHealth
from tandem.board.feed.server_status import ServerStatus, listening_addresses
from tandem.records.heartbeat import FILE, beat, create_heartbeat, heartbeat_age_s
from tandem.server import loop
from testing.boards import numbered, with_server_health, write_records
from testing.processes import LIMIT


@pytest.fixture(autouse=True)
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    monkeypatch.setattr(server_status, "own_addresses", lambda: ["192.168.1.20", "2001:db8::20"])


@pytest.mark.parametrize(
    ("servers", "addresses", "is_local"),
    [
        ([], (), False),
        (["g:1 1", "an older name"], (), False),
        (["here 127.0.0.1:5550 7"], ("127.0.0.1:5550",), True),
        (["here [::1]:5550 7"], ("[::1]:5550",), True),
        (["here 0.0.0.0:5550 7"], ("192.168.1.20:5550",), False),
        (["here *:5550 7", "here *:5550 8"], ("192.168.1.20:5550", "[2001:db8::20]:5550"), False),
        (["here [::]:5550 7"], ("[2001:db8::20]:5550",), False),
        (["there *:5550 7"], ("there:5550",), False),
        (["there 10.0.0.7:5550 7", "here 127.0.0.1:5550 9"], ("10.0.0.7:5550",), False),
        ([f"there 10.0.0.{n}:5550 7" for n in range(9)], tuple(f"10.0.0.{n}:5550" for n in range(4)), False),
    ],
)
def test_addresses_are_as_students_type_them(servers: list[str], addresses: tuple[str, ...], is_local: bool) -> None:
    assert listening_addresses(servers) == (addresses, is_local)


def test_a_dead_server_is_told_within_5_seconds() -> None:
    assert loop.MAX_IDLE_WAIT + loop.TICK < MAX_SILENCE_S, "an idle server is not called dead"
    assert MAX_SILENCE_S + server_health.POLL_INTERVAL_S < 5
    assert channel.HEARTBEAT_INTERVAL_S * 3 < 5


def test_the_heartbeat_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    assert heartbeat_age_s(tmp_path) is None
    beat(tmp_path)
    assert heartbeat_age_s(tmp_path) is None, "a folder that is another one by now stays as it is"
    create_heartbeat(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    os.utime(tmp_path / FILE, (1, 1))
    create_heartbeat(tmp_path)
    age_s = heartbeat_age_s(tmp_path)
    assert age_s is not None
    assert age_s < LIMIT
    create_heartbeat(tmp_path / "nowhere")


def test_the_status_changes_when_the_heart_stops_and_beats_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_health, "POLL_INTERVAL_S", 0.01)
    write_records(tmp_path, numbered(1))
    create_heartbeat(tmp_path)
    died_s = int(time.time()) - 60
    os.utime(tmp_path / FILE, (died_s, died_s))

    async def run() -> None:
        statuses: asyncio.Queue[ServerStatus] = asyncio.Queue()

        async def scene() -> None:
            silent = await statuses.get()
            assert silent.silent_since_us is not None
            assert abs(silent.silent_since_us / 1e6 - died_s) < 1
            beat(tmp_path)
            assert (await statuses.get()).silent_since_us is None

        with closing(RecordsPool(tmp_path)) as records_pool:
            await with_server_health(ServerHealth(records_pool, statuses.put_nowait), scene)

    asyncio.run(run())
