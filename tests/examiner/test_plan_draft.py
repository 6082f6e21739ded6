"""Drafts of plans: what is read from sources in the manners of students, and that the draft is a plan."""

from pathlib import Path

import pytest

from tandem.examiner.events import Event
from tandem.examiner.order import LabOrder
from tandem.examiner.placeholder_guess import guess
from tandem.examiner.plan import Submission
from tandem.examiner.plan_draft import NoProgramError, PlanDraft
from tandem.examiner.plan_file import read_plan
from tandem.examiner.plan_text import draft_plan
from tandem.examiner.plan_trial import PlanTrial
from tandem.examiner.run_lab import Labs
from tandem.examiner.scenarios import SCENARIOS
from testing.examiner.fake_labs import FINISHED, FakeLabs
from testing.examiner.specimens import write_submission

BUILT_IN = """
import socket
import json

SERVER = "145.24.222.82"
SERVER_PORT = 8001
CLIENT2_IP, CLIENT2_PORT = "192.168.1.7", 5002

class Peer:
    def __init__(self):
        self.port = CLIENT2_PORT

def one():
    with socket.socket() as s:
        s.connect((SERVER, SERVER_PORT))
    with socket.socket() as s:
        s.connect(("192.168.1.7", 5002))

def two():
    with socket.socket() as s:
        s.bind(("", 5002))
        s.listen()
        s.accept()

role = input("Which client is this (1 or 2)? ")
name = input(f"Team name of {role}: ")
nr = input("Your student number: ")
mate = input("Student number of your teammate: ")
colour = input("Favourite colour: ")
"""

ARGPARSE = """
import socket, argparse
parser = argparse.ArgumentParser()
parser.add_argument("clientid", type=int)
parser.add_argument("-s", "--server", required=True)
parser.add_argument("--server-port", required=True)
parser.add_argument("--peer-ip")
parser.add_argument("--retries", default=3)
parser.add_argument("--quiet", action="store_true")
args = parser.parse_args()
socket.create_connection((args.server, args.server_port))
"""

ARGV = """
import socket, sys
if __name__ == "__main__":
    if sys.argv[1] == "1":
        host, port = sys.argv[2], int(sys.argv[3])
        s = socket.socket()
        s.connect((host, port))
        t = socket.socket()
        t.connect(("127.0.0.1", 5551))
    mystery = sys.argv[4]
"""


def untried(folder: Path, draft: PlanDraft) -> tuple[PlanDraft, list[str]]:
    return draft, []


def draft(tmp_path: Path, **sources: str) -> tuple[str, Submission]:
    """Return the draft for a submission of these files, and the plan as it is read."""
    folder = tmp_path / "team"
    folder.mkdir()
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    text = draft_plan(folder, untried)
    (tmp_path / "plan.toml").write_text(text.replace("FILL-IN", "X"), encoding="utf-8")
    [submission] = read_plan(tmp_path / "plan.toml", SCENARIOS)
    return text, submission


def test_built_in_addresses_and_questions(tmp_path: Path) -> None:
    text, submission = draft(tmp_path, client=BUILT_IN)
    plan = submission.plan
    assert submission.folder == tmp_path / "team"
    assert plan.client1.command == ("python3", "client.py")
    assert (plan.addresses.server, plan.addresses.client2) == (("145.24.222.82", 8001), "192.168.1.7")
    assert plan.addresses.listen_port == 5002
    answers = ["{clientid}", "{teamname}", "{studentnr1}", "{studentnr2}", "X"]
    assert [answer for _, answer in plan.client1.prompts] == answers
    assert [answer for _, answer in plan.client2.prompts][2:4] == ["{studentnr2}", "{studentnr1}"]
    assert plan.client1.prompts[0][0] == r"Which client is this \(1 or 2\)\?"
    assert text.count("# correct FILL-IN") == 2


def test_arguments_of_argparse(tmp_path: Path) -> None:
    plan = draft(tmp_path, main=ARGPARSE + "s = socket.socket()\ns.bind(('', 5551))\n")[1].plan
    command = "python3 main.py {clientid} --server {server_host} --server-port {server_port} --peer-ip"
    assert plan.client1.command == (*command.split(), "{peer_host}")
    assert plan.client2.command == (*command.split(), "{own_host}")


def test_arguments_of_sys_argv_by_their_position(tmp_path: Path) -> None:
    text, submission = draft(tmp_path, client=ARGV + "    s.bind(('', 5551))")
    assert submission.plan.client1.command == (
        "python3",
        "client.py",
        "{clientid}",
        "{server_host}",
        "{server_port}",
        "X-mystery",
    )
    assert submission.plan.addresses.client2 == "127.0.0.1"
    assert "client 1 cannot run on another machine as it is" in text


def test_the_arguments_of_the_right_submission(tmp_path: Path) -> None:
    folder = write_submission(tmp_path / "team")
    (tmp_path / "plan.toml").write_text(draft_plan(folder, untried), encoding="utf-8")
    [submission] = read_plan(tmp_path / "plan.toml", SCENARIOS)
    names = "clientid server_host server_port peer_host peer_port studentnr1 studentnr2 classname teamname"
    assert submission.plan.client1.command == ("python3", "client.py", *(f"{{{name}}}" for name in names.split()))


def test_two_programs_that_share_a_module(tmp_path: Path) -> None:
    shared = "import socket\nPORT = 6001\ndef visit():\n    socket.create_connection(('10.1.1.1', 7000))\n"
    first = "import socket, shared\nif __name__ == '__main__':\n    socket.socket().connect(('10.1.1.2', shared.PORT))"
    second = (
        "import socket, shared\nif __name__ == '__main__':\n    socket.create_server(('', 1)).bind(('', shared.PORT))"
    )
    plan = draft(tmp_path, client1=first, client2=second, shared=shared)[1].plan
    assert (plan.client1.command[1], plan.client2.command[1]) == ("client1.py", "client2.py")
    assert (plan.addresses.server, plan.addresses.client2) == (("10.1.1.1", 7000), "10.1.1.2")
    assert plan.addresses.listen_port == 6001


def test_a_class_has_an_exception_for_each_submission(tmp_path: Path) -> None:
    write_submission(tmp_path / "class" / "team1")
    (tmp_path / "class" / "team2").mkdir()
    (tmp_path / "class" / "team2" / "client.py").write_text(BUILT_IN)
    (tmp_path / "class" / "team3").mkdir()
    (tmp_path / "class" / "team3" / "client.py").write_text("x = 1")
    text = draft_plan(tmp_path / "class", untried)
    assert "# FILL-IN: no Python file in " in text
    (tmp_path / "class" / "team3" / "client.py").write_text(BUILT_IN)
    (tmp_path / "plan.toml").write_text(draft_plan(tmp_path / "class", untried).replace("FILL-IN", "X"))
    plans = {entry.name: entry.plan for entry in read_plan(tmp_path / "plan.toml", SCENARIOS)}
    assert plans["team1"].addresses.server[1] == 5550
    assert plans["team2"] == plans["team3"]


@pytest.mark.parametrize("source", ["", "x = 1", "import json"])
def test_a_folder_without_a_program_is_one_line(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source)
    with pytest.raises(NoProgramError, match=r"no Python file in .* uses sockets"):
        draft_plan(tmp_path, untried)


def test_a_source_that_is_not_python_gives_a_draft_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text("import socket\nprint 'x'\n")
    assert '"python3 client.py"' in draft_plan(tmp_path, untried)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Enter your studentnumber: ", "{studentnr1}", "{studentnr2}"),
        ("Student number of your team mate?", "{studentnr2}", "{studentnr1}"),
        ("studentNr2", "{studentnr2}", "{studentnr2}"),
        ("clientid", "{clientid}", "{clientid}"),
        ("Are you client 1 or client 2? ", "{clientid}", "{clientid}"),
        ("IP address of the server: ", "{server_host}", "{server_host}"),
        ("port of the server", "{server_port}", "{server_port}"),
        ("IP address of client 2: ", "{peer_host}", "{own_host}"),
        ("peerPort", "{peer_port}", "{listen_port}"),
        ("What is your IP?", "{own_host}", "{own_host}"),
        ("class", "{classname}", "{classname}"),
        ("Team name: ", "{teamname}", "{teamname}"),
        ("port", "{server_port}", "{listen_port}"),
        ("Press Enter to continue", "", ""),
        ("colour", None, None),
    ],
)
def test_guesses(text: str, first: str | None, second: str | None) -> None:
    assert (guess(text, 1), guess(text, 2)) == (first, second)


def test_a_package_is_started_with_m(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__main__.py").write_text("from ours import wire\nwire.run()")
    (tmp_path / "ours" / "wire.py").write_text("import socket\ndef run(): socket.create_connection(('10.0.0.1', 1))")
    assert 'command = "python3 -m ours"' in draft_plan(tmp_path, untried)


def asking(order: LabOrder) -> list[Event]:
    """A client 1 that asks two questions, the second when the first is answered."""
    questions = ["Nr? ", "Colour: "]
    known = len(order.client1.prompts)
    if order.client2.words[-1] == "--help":
        return [Event(0.1, "client 2", "output", data=b"usage: client.py\n  --fast\n")]
    if known == len(questions):
        return FINISHED
    answered = Event(0.2, "client 1", "answered")
    asked = [
        Event(0.1, "client 1", "output", data=question.encode()) for question in ["Hello\n", *questions[: known + 1]]
    ]
    return [*asked[:-1], *([answered] if known else []), asked[-1], Event(8, "client 1", "stopped", text="time")]


@pytest.fixture
def labs() -> FakeLabs:
    return FakeLabs(asking)


def test_a_trial_finds_the_questions_one_after_the_other(tmp_path: Path, labs: FakeLabs) -> None:
    write_submission(tmp_path / "team")
    text = draft_plan(tmp_path / "team", PlanTrial(Labs(labs.start), SCENARIOS[0]))
    assert "# Tried in a sandbox: the exchange finished." in text
    (tmp_path / "plan.toml").write_text(text.replace("FILL-IN", "X"))
    [submission] = read_plan(tmp_path / "plan.toml", SCENARIOS)
    assert [answer for _, answer in submission.plan.client1.prompts] == ["{studentnr1}", "X"]
    assert len(labs.orders) == 3


def test_a_trial_that_does_not_finish_says_how_far_it_came(tmp_path: Path, labs: FakeLabs) -> None:
    write_submission(tmp_path / "team")
    labs.record = lambda order: asking(order) if "--help" in order.client2.words else FINISHED[:1]
    text = draft_plan(tmp_path / "team", PlanTrial(Labs(labs.start), SCENARIOS[0]))
    assert (
        "# Tried in a sandbox: client 1 did not connect to the server.\n# Its --help:\n#     usage: client.py\n" in text
    )
    assert labs.orders[-1].client2.words == ("python3", "client.py", "--help")
