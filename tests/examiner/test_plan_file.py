"""Plans in TOML: what is read, and the one line for each mistake."""

from pathlib import Path

import pytest

from tandem.examiner.plan import IMPORTS, SERVER_HOST, Submission
from tandem.examiner.plan_file import read_plan
from tandem.examiner.plan_keys import PlanError
from tandem.examiner.scenarios import SCENARIOS

SMALL = """
submission.folder = "."
client1.command = "python3 client.py 1 {server_host} {peer_host}"
client2.command = "python3 client.py 2 {server_host} {listen_port}"
"""
CLASS = SMALL.replace('submission.folder = "."', 'class.folder = "class"')


def read(folder: Path, text: str) -> tuple[Submission, ...]:
    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return read_plan(file, SCENARIOS)


def read_one(folder: Path, text: str) -> Submission:
    [submission] = read(folder, text)
    return submission


def test_a_small_plan_has_defaults_for_the_rest(tmp_path: Path) -> None:
    submission = read_one(tmp_path, SMALL)
    assert (submission.name, submission.folder) == (tmp_path.name, tmp_path)
    plan = submission.plan
    assert plan.client1.command == ("python3", "client.py", "1", "{server_host}", "{peer_host}")
    assert plan.addresses.server == (SERVER_HOST, 5550)
    assert plan.addresses.listen_port == 5551
    assert plan.imports == IMPORTS
    assert plan.given_details() == frozenset()


def test_a_whole_plan(tmp_path: Path) -> None:
    plan = read_one(
        tmp_path,
        """
        [submission]
        folder = "."
        [client1]
        command = 'python3 client.py "one word"'
        [[client1.prompts]]
        asks = "student number"
        answer = "{studentnr1}"
        [client2]
        command = "python3 client.py"
        listens = 8002
        [addresses]
        server = "145.24.222.82:8001"
        client1 = "10.0.0.11"
        client2 = "localhost"
        [team]
        teamname = "Ours"
        [files]
        "TEAM.json" = '{"classname": "{classname}"}'
        [limits]
        seconds = 20
        quiet_s = 2.5
        [counts]
        leave_out = ["restart"]
        points = {silence = 3}
        [rules]
        imports = ["socket"]
        """,
    ).plan
    assert plan.client1.command == ("python3", "client.py", "one word")
    assert plan.client1.prompts == (("student number", "{studentnr1}"),)
    assert plan.addresses.server == ("145.24.222.82", 8001)
    assert (plan.addresses.client1, plan.addresses.client2, plan.addresses.listen_port) == (
        "10.0.0.11",
        "127.0.0.1",
        8002,
    )
    assert plan.team["teamname"] == "Ours"
    assert plan.given_details() == {"studentnr1", "classname"}
    assert (plan.limits.seconds, plan.limits.quiet_s, plan.limits.memory_mib) == (20, 2.5, 512)
    assert (plan.leave_out, plan.points) == (frozenset({"restart"}), {"silence": 3})
    assert plan.imports == ("socket",)


WRONG = [
    ("client1 = ", "it is not TOML"),
    ("", "it needs [submission] or [class], and has none"),
    (SMALL + CLASS.splitlines()[1], "it needs [submission] or [class], and has both"),
    (SMALL.replace('"."', '"away"'), "submission.folder: "),
    (SMALL.replace('"."', "5"), "submission.folder: it is 5, and was to be a text in quotes"),
    (SMALL.replace("submission.folder", "submission.foldr"), "submission.foldr: there is no such key. Try: folder"),
    (SMALL + "[clients]", "clients: there is no such key. Try: client2"),
    (SMALL + "[[exceptions]]", "exceptions: they are for submissions of a class"),
    (SMALL.replace("client1.command", "client1.comand"), "client1.comand: there is no such key. Try: command"),
    ('submission.folder = "."', "client1.command: it is missing"),
    (SMALL.replace("client.py 1", "'client.py 1"), "client1.command: it is not a command line: no closing quotation"),
    ('submission.folder = "."\nclient1 = 3', "client1: it is 3, and was to be a table"),
    (
        SMALL.replace("{server_host} {peer", "{sever_host} {peer"),
        "{sever_host} is not a placeholder. Try: {server_host}",
    ),
    (SMALL.replace("{server_host} {peer", "{peer"), "addresses.server: it is missing, and client1 is not given"),
    (SMALL.replace(" {peer_host}", ""), "addresses.client2: it is missing, and client1 is not given {peer_host}"),
    (SMALL.replace(" {listen_port}", ""), "client2.listens: it is missing, and client2 is not given {listen_port}"),
    (SMALL.replace("client.py 1", "FILL-IN"), "client1.command: FILL-IN is in it: the draft is not corrected yet"),
    (SMALL + "client2.listens = 0", "client2.listens: it is 0, and was to be a whole number from 1 to 65535"),
    (SMALL + "client2.listens = true", "client2.listens: it is true or false, and was to be a whole number"),
    (
        SMALL + "client1.prompts = 'no'",
        "client1.prompts: it is 'no', and was to be tables, each below a line [[client1",
    ),
    (SMALL + "[[client1.prompts]]\nasks = '('", "client1.prompts[1].answer: it is missing"),
    (
        SMALL + "[[client1.prompts]]\nasks = '('\nanswer = ''",
        "client1.prompts[1].asks: '(' is not a regular expression",
    ),
    (SMALL + "[[client1.prompts]]\nasks = '.*'\nanswer = ''", "client1.prompts[1].asks: '.*' is found in every output"),
    (SMALL + '[[client1.prompts]]\nasks = "a"\nanswer = "b\\n"', "prompts[1].answer: there is a line end in it"),
    (
        SMALL + "[[client1.prompts]]\nasks = 'a'\nanswer = '{team}'",
        "answer: {team} is not a placeholder. Try: {teamname}",
    ),
    (SMALL + "[[client1.prompts]]\nquestion = 'a'", "client1.prompts[1].question: there is no such key"),
    (SMALL + "addresses.server = 'x y'", "addresses.server: 'x y' is not HOST:PORT: there is a blank in it"),
    (SMALL + "addresses.server = 'server.example'", "addresses.server: 'server.example' is not an IPv4 address"),
    (SMALL + "addresses.client1 = '127.0.0.1'", "addresses.client1: 127.0.0.1 is the same on every machine"),
    (SMALL + "addresses.client1 = '0.0.0.0'", "addresses.client1: 0.0.0.0 is not the address of one host"),
    (SMALL + "addresses = {client1 = '10.0.0.1', client2 = '10.0.0.1'}", "addresses: two of the three hosts have one"),
    (SMALL + "team.classnam = 'a'", "team.classnam: there is no such key. Try: classname"),
    (SMALL + "files.'../a' = 'b'", "files.../a: it is not the name of a file in the submission"),
    (SMALL + "files.a = '{own_host}'", "files.a: {own_host} differs between the programs, and the file does not"),
    (SMALL + "files.a = 1", "files.a: it is 1, and was to be a text in quotes"),
    (SMALL + "limits.seconds = -1", "limits.seconds: it is -1, and was to be a number from 1 to 600"),
    (SMALL + "limits.cpu_seconds = 1.5", "limits.cpu_seconds: it is 1.5, and was to be a whole number from 1 to 600"),
    (SMALL + "counts.leave_out = ['restrat']", "counts.leave_out: there is no 'restrat'. Try: restart"),
    (SMALL + "counts.leave_out = 'restart'", "counts.leave_out: it is 'restart', and was to be a list of texts"),
    (SMALL + "counts.points.restrat = 2", "counts.points.restrat: there is no 'restrat'. Try: restart"),
    (SMALL + "counts.points.restart = 'x'", "counts.points.restart: it is 'x', and was to be a whole number"),
    (SMALL + "rules.imports = [1]", "rules.imports: it is a list, and was to be a list of texts"),
    (CLASS + "[[exceptions]]\nfolder = 'taem1'", "exceptions[1].folder: the class has no folder 'taem1'. Try: team1"),
    (CLASS + "[[exceptions]]\nfolder = 'team1'\n[[exceptions]]\nfolder = 'team1'", "has an exception before this one"),
    (CLASS + "[[exceptions]]\nfolder = 'team1'\nclass.folder = '.'", "exceptions[1].class: there is no such key"),
    (
        CLASS + "[[exceptions]]\nfolder = 'team1'\nteam.nr = '1'",
        "plan.toml: with the exception for 'team1': team.nr: there is no such key",
    ),
    (CLASS.replace('"class"', '"class/team1"'), "class.folder: there is no folder in "),
]


@pytest.mark.parametrize(("text", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_each_mistake_is_one_line_with_file_and_key(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "class" / "team1").mkdir(parents=True)
    with pytest.raises(PlanError) as raised:
        read(tmp_path, text)
    said = str(raised.value)
    assert line in said
    assert said.startswith(str(tmp_path / "plan.toml"))
    assert "\n" not in said


def test_a_file_that_is_no_plan(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'a = "\xe9"')
    (tmp_path / "large").write_bytes(b"#" * 1_000_001)
    for name in ("missing", "latin", "large"):
        with pytest.raises(PlanError, match=name):
            read_plan(tmp_path / name, SCENARIOS)


def test_an_exception_changes_only_what_it_says(tmp_path: Path) -> None:
    for name in ("team1", "team2", ".hidden"):
        (tmp_path / "class" / name).mkdir(parents=True)
    (tmp_path / "class" / "a file").touch()
    first, second = read(
        tmp_path,
        CLASS + "team.classname = 'C'\n[[exceptions]]\nfolder = 'team2'\nteam.teamname = 'T'\nclient2.listens = 9",
    )
    assert (first.name, second.name) == ("team1", "team2")
    assert first.plan.team | {"teamname": "T"} == second.plan.team
    assert (first.plan.addresses.listen_port, second.plan.addresses.listen_port) == (5551, 9)
    assert first.plan.client2 == second.plan.client2


def test_the_plan_by_itself_may_lack_what_every_exception_has(tmp_path: Path) -> None:
    (tmp_path / "class" / "team1").mkdir(parents=True)
    whole = "\n".join(f"{line}" for line in SMALL.splitlines()[2:])
    [submission] = read(tmp_path, f"class.folder = 'class'\n[[exceptions]]\nfolder = 'team1'\n{whole}")
    assert submission.plan.client1.command[0] == "python3"
