"""tandem init: its questions, the file, and the commands that it prints, which run as they are."""

import io
import json
import os
import re
import shlex
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli import main
from tandem.diagnosis.problem import CATALOGUE
from tandem.doctor.team_file import QUESTIONS, check_answer, keep_out_of_git, write_team_file
from tandem.net.networks import address_towards
from tandem.protocol.errors import TandemError
from testing.processes import process, running_server, tandem

ANSWERS = "0923456\n0934567\nINF2A\nTeam1\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(answers: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    return main(["init", *words])


def test_its_questions_become_a_team_file_and_two_commands_that_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path / "data") as server:
        file = str(tmp_path / "TEAM.json")
        assert asked(f"{ANSWERS}{server.address}\n\n", monkeypatch, file) == 0
        commands = re.findall(r"^  python3 (-m tandem client .*)$", capsys.readouterr().out, re.MULTILINE)
        second, first = map(shlex.split, commands)
        assert (second[-1], first[-1]) == ("5551", "127.0.0.1:5551")
        with process(*second[:-1], "127.0.0.1:0") as client_2:  # any free port
            code, _, err = tandem(*first[2:-1], client_2.wait_for("listening on").split()[2])
            assert (code, err) == (0, "")
            assert client_2.wait() == 0
            assert "Finished successfully" in client_2.out


def test_the_file_is_a_message_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(f"{ANSWERS}192.0.2.1\n192.0.2.12\n", monkeypatch) == 0
    assert json.loads(Path("TEAM.json").read_text()) == {
        "studentnr1": "0923456",
        "studentnr2": "0934567",
        "classname": "INF2A",
        "clientid": 1,
        "teamname": "Team1",
        "ip": "",
        "secret": "",
        "status": "",
    }
    assert stat.S_IMODE(os.stat("TEAM.json").st_mode) == 0o600
    out = capsys.readouterr().out
    assert "first, on 192.0.2.12, client 2:\n  python3 -m tandem client 2 TEAM.json --server 192.0.2.1:5550" in out
    assert "--peer 192.0.2.12:5551\n" in out
    assert main(["check", "TEAM.json"]) == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("\n" + ANSWERS, "studentnr1 is empty"),
        (ANSWERS.replace("INF2A", "YOURCLASSCODE\nINF2A"), "classname is still the placeholder"),
        (ANSWERS.replace("INF2A", "C" * 65 + "\nINF2A"), "64"),
        (ANSWERS.replace("Team1", "\x1b[31mred\nTeam1"), "control character"),
        (ANSWERS.replace("0923456", "092"), "note: studentnr1 is `092`, not 7 digits"),
    ],
)
def test_each_answer_is_checked_at_once_and_asked_for_again(
    answers: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(f"{answers}192.0.2.1\n192.0.2.12\n", monkeypatch) == 0
    assert said in capsys.readouterr().out
    assert json.loads(Path("TEAM.json").read_text())["teamname"] == "Team1"


@pytest.mark.parametrize("wrong", ["5550", "http://192.0.2.1", "192.168.1.300", "a b"])
def test_a_wrong_address_is_asked_for_again(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(f"{ANSWERS}{wrong}\n192.0.2.1\n{wrong}\n192.0.2.12\n", monkeypatch) == 0
    assert capsys.readouterr().out.count(f"{wrong}") >= 2


def test_an_empty_answer_about_client_2_means_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(f"{ANSWERS}127.0.0.1\n\n", monkeypatch) == 0
    out = capsys.readouterr().out
    assert "first, on this machine, client 2:" in out
    assert "--peer 127.0.0.1:5551" in out
    assert "only this machine can reach" in out


@pytest.mark.parametrize("answers", ["", "0923456\n", ANSWERS, f"{ANSWERS}192.0.2.1\n"])
def test_an_input_that_ends_is_one_line(
    answers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(answers, monkeypatch) == 1
    assert capsys.readouterr().err.startswith("tandem: the input ended at the question: ")
    assert not Path("TEAM.json").exists()


def test_wrong_answers_are_not_asked_for_without_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("\n" * 1000, monkeypatch) == 1
    assert "no usable answer came" in capsys.readouterr().err


def test_a_wrong_option_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("", monkeypatch, "--studentnr1", "YOUR_STUDENTNUMBER") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_there_stays(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("TEAM.json").write_text("mine")
    assert asked(ANSWERS, monkeypatch) == 1
    assert Path("TEAM.json").read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
    with pytest.raises(TandemError, match="is there already"):
        write_team_file(Path("TEAM.json"), {})
    with pytest.raises(TandemError, match="cannot be written"):
        write_team_file(Path("missing/TEAM.json"), {})


def test_git_ignores_the_file_in_this_clone(tmp_path: Path) -> None:
    exclude = tmp_path / ".git" / "info" / "exclude"
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    assert "git ignores" in keep_out_of_git(Path("sub/TEAM.json"))
    assert "git ignores" in keep_out_of_git(Path("sub/TEAM.json"))
    assert exclude.read_text() == "/sub/TEAM.json\n"
    exclude.write_text("*.pyc")
    keep_out_of_git(Path("TEAM.json"))
    assert exclude.read_text() == "*.pyc\n/TEAM.json\n"


def test_outside_of_git_and_in_a_worktree_nothing_is_written(tmp_path: Path) -> None:
    assert keep_out_of_git(Path("TEAM.json")) == ""
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    assert "do not add" in keep_out_of_git(Path("TEAM.json"))


@given(name=st.sampled_from(list(QUESTIONS)), value=st.text(max_size=200))
def test_any_answer_is_judged(name: str, value: str) -> None:
    answer = check_answer(name, value)
    assert answer.value == value.strip()
    assert isinstance(answer.problem, str)


def test_the_sentences_are_those_of_the_catalogue() -> None:
    assert CATALOGUE["field-empty"].help in check_answer("classname", "").problem


def test_the_own_address_is_the_one_on_the_way() -> None:
    assert address_towards("127.0.0.1", 9) == "127.0.0.1"
    assert address_towards("127.0.0.9", 9) in ("127.0.0.1", "127.0.0.9")
    assert address_towards("::1", 9) == "::1"
    assert address_towards("no.such.name.invalid", 9) == ""
    assert address_towards("a" * 300, 9) == ""
