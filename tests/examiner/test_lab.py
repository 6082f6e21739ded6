"""The lab: whole runs, each on hosts of its own, and what their records say.

A lab takes a second or more, so many tests look at one record.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tandem.examiner.events import CAPTURE, read_events
from tandem.examiner.lab.start import start_lab
from tandem.examiner.order import LabOrder, Limits, ProgramOrder
from tandem.examiner.order_file import write_order
from tandem.examiner.scenario import Approach, Fault
from tandem.examiner.scenario import Path as Way
from testing.examiner.labs import (
    ALONE,
    CLIENT_1,
    CLIENT_2,
    DETAILS,
    LIMIT_S,
    PLAIN,
    SERVER,
    Record,
    order,
    processes_with,
    program,
    run_lab,
    run_source,
)
from testing.examiner.specimens import PROGRAM, Specimen, write_submission
from testing.examiner.unruly_programs import ENDS_BY_ITSELF, STOPPED
from testing.processes import ROOT, wait_until

pytestmark = pytest.mark.usefixtures("labs")

LOCALHOST = "127.0.0.1"

# Asks for what the right submission has as arguments. The last prompt is answered by a wrong name first.
ASKS = """
import sys
import client
details = [input(f"{name}? ") for name in ("number", "number of the teammate", "class", "team")]
client.main([*sys.argv[1:], *details])
"""
PROMPTS = (
    (r"^number\?", DETAILS[0]),
    (r"teammate\?", DETAILS[1]),
    (r"class\?", DETAILS[2]),
    (r"team\?", DETAILS[3]),
)


def asking(clientid: int) -> ProgramOrder:
    return ProgramOrder(("python3", "asks.py", *program(clientid).words[2:7]), PROMPTS)


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_submission(tmp_path_factory.mktemp("right") / "submission")


@pytest.fixture(scope="module")
def plain(submission: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The plain exchange. Both programs ask for their details."""
    wanted = replace(order(submission), client1=asking(1), client2=asking(2), files={"asks.py": ASKS})
    return run_lab(wanted, tmp_path_factory.mktemp("plain") / "record")


def test_the_exchange_is_recorded_step_by_step(plain: Record) -> None:
    steps = [
        ("client 2", "started", ""),
        ("client 2", "listening", ""),
        ("client 1", "started", ""),
        ("client 1", "connected", "visit 1"),
        ("server", "sent", "visit 1"),
        ("client 1", "sent", "visit 1"),
        ("client 1", "connected", "handover"),
        ("client 1", "sent", "handover"),
        ("client 2", "connected", "visit 2"),
        ("client 2", "sent", "visit 2"),
    ]
    first = [next(e.at_s for e in plain.events if (e.who, e.what, e.link) == step) for step in steps]
    assert first == sorted(first)
    assert [event.number for event in plain.events if event.what == "ended"] == [0, 0]
    assert plain.of("client 1", "stopped") == plain.of("client 2", "stopped") == []


def test_the_bytes_of_every_link_are_recorded(plain: Record) -> None:
    for link in ("visit 1", "visit 2"):
        for who in ("server", "client 1" if link == "visit 1" else "client 2"):
            assert plain.bytes_of(who, "sent", link) == plain.bytes_of(who, "delivered", link)
    reply = plain.bytes_of("server", "sent", "visit 1").partition(b"{")[2]
    handover = plain.bytes_of("client 1", "sent", "handover")
    assert b"{" + reply == handover == plain.bytes_of("client 1", "delivered", "handover")
    final = plain.bytes_of("server", "sent", "visit 2")
    assert json.loads(final[final.index(b"{") :])["status"] == "Finished successfully"


def test_programs_see_addresses_of_their_own(plain: Record) -> None:
    [visit_1] = plain.texts("client 1", "connected", "visit 1")
    [visit_2] = plain.texts("client 2", "connected", "visit 2")
    [handover] = plain.texts("client 1", "connected", "handover")
    assert plain.texts("client 2", "listening") == [f"0.0.0.0:{CLIENT_2[1]}"]
    hosts = [[side.rpartition(":")[0] for side in text.split(" -> ")] for text in (visit_1, visit_2, handover)]
    assert hosts == [[CLIENT_1, SERVER[0]], [CLIENT_2[0], SERVER[0]], [CLIENT_1, CLIENT_2[0]]]


def test_prompts_are_answered(plain: Record) -> None:
    for who in ("client 1", "client 2"):
        assert plain.texts(who, "answered") == [pattern for pattern, _ in PROMPTS]
        assert plain.output(who).startswith("number? number of the teammate? class? team? ")


def test_tshark_reads_the_capture_and_its_comments(plain: Record) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("tshark is missing: apt install tshark")
    words = (tshark, "-r", str(plain.folder / CAPTURE), "-o", "tcp.check_checksum:TRUE", "-T", "fields")
    fields = ("ip.src", "ip.dst", "tcp.dstport", "tcp.flags.syn", "tcp.checksum.status", "frame.comment", "tcp.payload")
    options = [word for field in fields for word in ("-e", field)]
    done = subprocess.run((*words, *options), capture_output=True, text=True, check=True, timeout=LIMIT_S)
    frames = [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    syns = [
        (each["ip.src"], each["ip.dst"], int(each["tcp.dstport"])) for each in frames if each["tcp.flags.syn"] == "1"
    ]
    assert {(CLIENT_1, *SERVER), (CLIENT_1, *CLIENT_2), (CLIENT_2[0], *SERVER)} <= set(syns)
    assert {each["tcp.checksum.status"] for each in frames} <= {"1", ""}  # good, or no TCP
    comments = " ".join(each["frame.comment"] for each in frames)
    for step in ("client 2: started", "client 2: listening", "client 1: started", "client 1: answered"):
        assert step in comments
    assert any(bytes.fromhex(each["tcp.payload"]) == plain.bytes_of("client 1", "sent", "handover") for each in frames)


@pytest.mark.parametrize("built_in", ["127.0.0.1", "192.168.1.5"])
def test_one_built_in_address_on_a_lossy_way_with_a_late_server(built_in: str, tmp_path: Path) -> None:
    """Both programs look for everything at one address, and are refused there as they would be elsewhere."""
    only_here = Specimen('listener.bind(("", port))', 'listener.bind(("127.0.0.1", port))')
    submission = write_submission(tmp_path / "submission", only_here)
    server, peer = (built_in, SERVER[1]), (built_in, CLIENT_2[1])
    scenario = replace(PLAIN, first="client 1", server_away_s=0.5, path=Way(delay_s=0.02, loss=0.1))
    wanted = replace(
        order(submission, scenario),
        client1=program(1, server, peer),
        client2=program(2, server, peer),
        server_host=server[0],
        peer_host=peer[0],
        seed=5,  # of this seed the third packet is lost
    )
    record = run_lab(wanted, tmp_path / "record")
    assert set(record.texts("examiner", "disturbed")) == {"away", "delay", "loss"}
    assert record.of("client 1", "refused", "visit 1")
    assert record.of("client 1", "refused", "handover")
    assert b"Finished successfully" in record.bytes_of("server", "delivered", "visit 2")
    assert b"waiting for message 2" in record.bytes_of("client 1", "delivered", "handover")
    assert record.texts("client 2", "listening") == [f"{LOCALHOST}:{CLIENT_2[1]}"]


def test_started_again_on_the_same_hosts(tmp_path: Path) -> None:
    """A program that leaves its port in TIME_WAIT and does not set SO_REUSEADDR cannot listen again at once."""
    source = (
        "import socket\n"
        "listener = socket.socket()\n"
        f"listener.bind(('', {CLIENT_2[1]}))\n"
        "listener.listen()\n"
        "connection, _ = listener.accept()\n"
        "connection.close()\n"
        "print('was connected to')\n"
    )
    calls = f"import socket\nconnection = socket.create_connection({CLIENT_2!r})\nconnection.recv(1)\n"
    submission = tmp_path / "submission"
    submission.mkdir()
    files = {"listens.py": source, "calls.py": calls}
    wanted = replace(
        order(submission, replace(PLAIN, again=True)),
        client1=ProgramOrder(("python3", "calls.py")),
        client2=ProgramOrder(("python3", "listens.py")),
        files=files,
    )
    record = run_lab(wanted, tmp_path / "record")
    [again] = record.of("examiner", "started again")
    assert [event.number for event in record.of("client 2", "ended")] == [0, 1]
    later = [event for event in record.of("client 2", "output") if event.at_s > again.at_s]
    assert b"Address already in use" in b"".join(event.data for event in later)


def test_without_hosts_of_their_own(submission: Path, tmp_path: Path) -> None:
    """On loopback: the same events, without a capture. Client 1 gets a port that is watched."""
    server, listen, watched = ((LOCALHOST, port) for port in free_ports(3))
    scenario = replace(PLAIN, faults=(Fault("split", visit=0, pause_s=0.05),), approach=Approach(sends=b"hello"))
    wanted = replace(
        order(submission, scenario),
        client1=program(1, server, watched),
        client2=program(2, server, listen),
        server_host=server[0],
        server_port=server[1],
        peer_host=watched[0],
        peer_port=watched[1],
        listen_port=listen[1],
        isolated=False,
    )
    record = run_lab(wanted, tmp_path / "record")
    assert b"Finished successfully" in record.bytes_of("server", "delivered", "visit 2")
    assert b"waiting for message 2" in record.bytes_of("client 1", "delivered", "handover")
    assert record.texts("examiner", "disturbed", "visit 2") == ["split"]
    assert record.texts("client 2", "listening") == [f"0.0.0.0:{listen[1]}"]
    assert record.of("examiner", "approached", "approach")
    assert not (record.folder / CAPTURE).exists()


def free_ports(count: int) -> list[int]:
    """Ports of which nobody has one at the moment."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server((LOCALHOST, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


def unruly(sources: tuple[str, str], folder: Path) -> LabOrder:
    """An order that runs two programs, the second when the first was stopped."""
    submission = folder / "submission"
    submission.mkdir()
    files = {"first.py": sources[0], "second.py": sources[1]}
    limits = Limits(seconds=60, cpu_seconds=1, memory_mib=400, processes=20, disk_mib=4, grace_s=60)
    return replace(
        order(submission, replace(PLAIN, first="client 1"), limits),
        client1=ProgramOrder(("python3", "first.py")),
        client2=ProgramOrder(("python3", "second.py")),
        files=files,
    )


@pytest.mark.parametrize("names", [("floods", "forks"), ("eats memory", "spins")], ids=" ".join)
def test_programs_that_use_more_than_they_may_are_stopped(names: tuple[str, str], tmp_path: Path) -> None:
    (first, why_first), (second, why_second) = (STOPPED[name] for name in names)
    record = run_lab(unruly((first, second), tmp_path), tmp_path / "record")
    assert record.texts("client 1", "stopped") == [why_first]
    assert record.texts("client 2", "stopped") == [why_second]
    assert len(record.bytes_of("client 1", "output")) <= Limits().output_kib << 10


def test_programs_do_not_get_out(tmp_path: Path) -> None:
    """Several hostile programs, one after the other in one lab. Each says at its end what it found."""
    together = "".join(f"exec({source!r}, {{}})\n" for source, _ in ENDS_BY_ITSELF.values())
    record = run_source(together, tmp_path, Limits(disk_mib=4, processes=20))
    assert record.output("client 1").split("\n") == [*(said for _, said in ENDS_BY_ITSELF.values()), ""]
    assert [event.number for event in record.of("client 1", "ended")] == [0]
    assert list((tmp_path / "submission").iterdir()) == [tmp_path / "submission" / PROGRAM]


@pytest.mark.parametrize("how", ["killed", "caller gone"])
def test_nothing_is_left_of_a_lab_that_is_ended(how: str, tmp_path: Path) -> None:
    marker = uuid4().hex
    submission, folder = tmp_path / "submission", tmp_path / "record"
    submission.mkdir()
    folder.mkdir()
    sleeps = ProgramOrder(("python3", "-c", "import time\nprint('here')\ntime.sleep(1000)", marker))
    before = Path("/proc/mounts").read_text(encoding="utf-8")
    with start_lab(replace(order(submission, ALONE), client1=sleeps), folder) as lab:
        wait_until(lambda: b'"output"' in (folder / "events.jsonl").read_bytes() if any(folder.glob("e*")) else False)
        assert processes_with(marker)
        if how == "killed":
            lab.kill()
        assert lab.stdin is not None
        lab.stdin.close()
        lab.wait(LIMIT_S)
    wait_until(lambda: not processes_with(marker) and not processes_with(str(folder)))
    assert [event.what for event in read_events(folder)][:2] == ["started", "output"]
    left = set(Path("/proc/mounts").read_text(encoding="utf-8").splitlines()) - set(before.splitlines())
    assert not any(str(folder) in line or " /sys/" in line for line in left)


# Starts the lab of argv[1], as a user that is not root.
AS_USER = """
import os, pathlib, sys
from tandem.examiner.lab.start import missing, start_lab
from tandem.examiner.order_file import read_order
assert os.geteuid() != 0
assert missing() == [], missing()
folder = pathlib.Path(sys.argv[1])
with start_lab(read_order(folder), folder) as lab:
    sys.exit(lab.wait())
"""


def test_a_user_without_rights_can_run_it(submission: Path, tmp_path: Path) -> None:
    write_order(tmp_path, order(submission))
    user = ("unshare", "--user", "--map-user=1000", "--map-group=1000") if os.geteuid() == 0 else ()
    subprocess.run((*user, sys.executable, "-c", AS_USER, str(tmp_path)), cwd=ROOT, check=True, timeout=LIMIT_S)
    record = Record(tmp_path, list(read_events(tmp_path)))
    assert b"Finished successfully" in record.bytes_of("server", "delivered", "visit 2")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folder": "/nonexistent/submission"}, "/nonexistent/submission cannot be copied: No such file or directory"),
        ({"limits": Limits(disk_mib=1)}, "large.bin cannot be copied: No space left on device. Try: a smaller folder"),
        ({"client1_address": CLIENT_2[0]}, "addresses of their own"),
    ],
)
def test_a_lab_that_cannot_be_says_so_in_its_record(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    submission, folder = tmp_path / "submission", tmp_path / "record"
    submission.mkdir()
    folder.mkdir()
    (submission / "large.bin").write_bytes(bytes(2 << 20))
    with start_lab(replace(order(submission), **change), folder) as lab:
        assert lab.wait(LIMIT_S) == 0
    [failure] = [event.text for event in read_events(folder) if event.what == "failure"]
    assert said in failure
