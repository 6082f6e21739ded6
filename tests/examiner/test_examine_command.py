"""`tandem examine` as it is typed: what is refused, what is written where, and the exit code."""

import json
from pathlib import Path

import pytest

from tandem.cli import main
from tandem.examiner.rejudge import RESULTS
from testing.examiner.fake_labs import FINISHED, FakeLabs
from testing.examiner.specimens import write_submission

PLAN = """
submission.folder = "team1"
client1.command = "python3 client.py {server_host} {peer_host}"
client2.command = "python3 client.py {server_host} {listen_port}"
"""


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLabs:
    """A folder with a plan and its submission, and labs whose exchanges finish."""
    labs = FakeLabs(lambda order: FINISHED)
    monkeypatch.setattr("tandem.commands.examine.start_lab", labs.start)
    monkeypatch.setattr("tandem.commands.examine.missing", list)
    monkeypatch.chdir(tmp_path)
    write_submission(tmp_path / "team1")
    (tmp_path / "plan.toml").write_text(PLAN)
    return labs


@pytest.mark.usefixtures("labs")
def test_the_results_are_printed_and_in_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examine", "plan.toml", "--out", "out", "--scenario", "plain", "--scenario", "7", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("team1: assignment pass, robustness 1 of 1 points, rules pass\n")
    assert out.endswith("seed 3; the record is in out\n")
    kept = json.loads((tmp_path / "out" / RESULTS).read_text())
    assert [check["id"] for check in kept["submissions"][0]["checks"]][:2] == ["plain", "reply-in-two"]
    assert main(["examine", "--from", "out", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == kept
    assert main(["examine", "--from", "out"]) == 0
    assert out.startswith(capsys.readouterr().out)


@pytest.mark.usefixtures("labs")
def test_a_whole_examination_that_is_unclear_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examine", "plan.toml", "--format", "json"]) == 1
    summary = json.loads(capsys.readouterr().out)["submissions"][0]["summary"]
    assert summary["assignment"] == "unclear"
    assert summary["robustness"]["of"] > summary["robustness"]["points"] > 0


def test_the_same_seed_is_given_to_every_run(labs: FakeLabs) -> None:
    main(["examine", "plan.toml", "--seed", "5", "--local"])
    assert {(order.seed, order.isolated) for order in labs.orders} == {(5, False)}


@pytest.mark.usefixtures("labs")
def test_several_submissions_have_a_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_submission(tmp_path / "class" / "a")
    write_submission(tmp_path / "class" / "b")
    (tmp_path / "class.toml").write_text(PLAN.replace('submission.folder = "team1"', 'class.folder = "class"'))
    assert main(["examine", "class.toml", "--scenario", "plain", "--out", "out"]) == 0
    assert "2 submissions: 2 pass, 0 fail, 0 unclear\n" in capsys.readouterr().out
    assert [each["name"] for each in json.loads(Path("out", RESULTS).read_text())["submissions"]] == ["a", "b"]


@pytest.mark.usefixtures("labs")
@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "a plan is missing. Try: tandem examine --init FOLDER > plan.toml"),
        (["missing.toml"], 2, "missing.toml cannot be read: No such file or directory"),
        (["plan.toml", "--from", "out"], 2, "--from cannot be used with PLAN: it takes a folder in place of a plan"),
        (["plan.toml", "--scenario", "20"], 2, "'20' is no scenario; these are: plain, team-of-one"),
        (["plan.toml", "--out", "team1"], 2, "team1 is not empty: a record is never overwritten"),
        (["plan.toml", "--out", "plan.toml"], 1, "plan.toml cannot be used: File exists"),
        (["--init", "missing"], 2, "missing is not a folder"),
        (["--from", "missing"], 1, "missing is not a record"),
        (["--from", "team1"], 1, "team1 is not a record"),
    ],
)
def test_wrong_usage_is_one_line(words: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        found = main(["examine", *words])
    except SystemExit as ended:
        found = int(str(ended.code))
    out, err = capsys.readouterr()
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert line in err


@pytest.mark.usefixtures("labs")
def test_a_machine_that_lacks_something_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tandem.commands.examine.missing", lambda: ["bwrap missing: apt install bubblewrap"])
    assert main(["examine", "plan.toml"]) == 1
    assert "bwrap missing: apt install bubblewrap. Try: --local" in capsys.readouterr().err
    Path("plan.toml").write_text(PLAN.replace(" {server_host}", "") + "addresses.server = '10.0.0.1:1'")
    assert main(["examine", "plan.toml", "--local"]) == 2
    assert "the program has the address 10.0.0.1:1 built in" in capsys.readouterr().err


@pytest.mark.usefixtures("labs")
def test_the_draft_of_a_plan_can_be_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examine", "--init", "team1"]) == 0
    Path("draft.toml").write_text(capsys.readouterr().out)
    assert main(["examine", "draft.toml", "--scenario", "plain"]) == 0
