"""ARCHITECTURE.md against the code: its list of files, and the life of message 2 as a running server has it."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tandem.protocol.message import STATUS_FINISHED
from testing.processes import ROOT, process
from testing.raw_sockets import encoded, message_1, message_2, visit

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^\| [^|]+ \| `(tandem/[^`]+)` \| `([\w.]+)` \|$", PAGE, re.MULTILINE)

# Runs the server, and at its end writes which of the functions were called, in their order.
TRACED = """
import json, os, runpy, sys, threading
root, out, wanted = os.getcwd() + os.sep, sys.argv[1], {tuple(step) for step in json.loads(sys.argv[2])}
calls = []
def profile(frame, event, _):
    if event == "call":
        step = frame.f_code.co_filename.removeprefix(root), frame.f_code.co_qualname
        if step in wanted:
            calls.append(step)
threading.setprofile(profile)
sys.setprofile(profile)
sys.argv[:] = ["tandem", *sys.argv[3:]]
try:
    runpy.run_module("tandem", run_name="__main__")
finally:
    sys.setprofile(None)
    with open(out, "w") as file:
        json.dump(calls, file)
"""


def test_every_file_is_in_its_table() -> None:
    tables = re.findall(r"^`(tandem/[\w/]*)`\n\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    listed = {folder + name for folder, table in tables for name in re.findall(r"^\| `(\w+\.py)`", table, re.MULTILINE)}
    there = subprocess.run(["git", "ls-files", "tandem/*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed == {name for name in there.stdout.split() if Path(name).name != "__init__.py"}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tandem/[\w/]+(?:\.py|/))`", PAGE))))
def test_what_is_named_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_life_of_message_2(tmp_path: Path) -> None:
    assert len(STEPS) > 10
    out = tmp_path / "calls.json"
    arguments = ("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
    with process("-c", TRACED, str(out), json.dumps(STEPS), *arguments) as server:
        port = int(server.wait_for("listening on").rpartition(":")[2])
        handover = visit("127.0.0.1", port, encoded(message_1()))
        assert visit("127.0.0.1", port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    calls = [tuple(call) for call in json.loads(out.read_text())]
    accepted = [number for number, call in enumerate(calls) if call[1] == "Loop._greet"]
    began = max(number for number in range(accepted[1]) if calls[number][1] == "Loop._accept")
    came = iter(calls[began:])  # among them are the last steps of message 1
    assert [step for step in STEPS if step in came] == STEPS  # `in` takes from the iterator: so the order counts
