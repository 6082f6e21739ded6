"""Examinations with labs that run nothing: the runs that are made, and what one costs the others."""

import json
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tandem.examiner.events import FILE, ORDER, Event, read_events
from tandem.examiner.examination import COPY, Examination
from tandem.examiner.fill_order import fill_local_order, fill_order
from tandem.examiner.order import LabOrder
from tandem.examiner.plan import Plan, PlanAddresses, PlannedProgram, Submission
from tandem.examiner.rejudge import RESULTS, RecordError, rejudge
from tandem.examiner.result_text import as_json_text, as_text, class_line, document
from tandem.examiner.run_lab import LabProcess, Labs
from tandem.examiner.scenarios import ASSIGNMENT, SCENARIOS
from tandem.examiner.submission_result import SubmissionResult, result_from_json
from testing.examiner.fake_labs import FINISHED, FakeLab, FakeLabs
from testing.examiner.specimens import write_submission

WORDS = "python3 client.py {clientid} {server_host} {peer_host} {listen_port} {studentnr2} {classname} {teamname}"
PLAN = Plan(PlannedProgram(tuple(WORDS.split())), PlannedProgram(tuple(WORDS.split())))
NOTHING: list[Event] = []


def examine(tmp_path: Path, labs: FakeLabs, *submissions: Submission) -> dict[str, SubmissionResult]:
    fill = partial(fill_order, seed=7)
    examination = Examination(Labs(labs.start), fill, SCENARIOS, tmp_path / "out", jobs=4)
    return {result.name: result for result in examination.results(submissions)}


def submission(tmp_path: Path, name: str = "team1", plan: Plan = PLAN) -> Submission:
    return Submission(name, write_submission(tmp_path / name), plan)


def verdicts(result: SubmissionResult) -> dict[str, str]:
    return {check.id: check.verdict for check in result.checks}


def finishing(order: LabOrder) -> list[Event]:
    return FINISHED


def test_every_scenario_is_run_once_the_plain_exchange_first(tmp_path: Path) -> None:
    labs = FakeLabs(finishing)
    result = examine(tmp_path, labs, submission(tmp_path))["team1"]
    ids = [order.scenario.id for order in labs.orders]
    assert ids[0] == "plain"
    assert sorted(ids) == sorted(scenario.id for scenario in SCENARIOS)
    found = verdicts(result)
    assert (found["plain"], found["restart"], found["imports"], found["silence"]) == ("pass", "pass", "pass", "unclear")
    assert list(found)[:2] == ["plain", "team-of-one"]
    assert {order.seed for order in labs.orders} == {7}
    assert (tmp_path / "out" / "team1" / COPY / "client.py").is_file()
    assert {order.folder for order in labs.orders} == {str(tmp_path / "out" / "team1" / COPY)}


def test_a_plain_exchange_that_does_not_work_spares_the_runs_for_robustness(tmp_path: Path) -> None:
    labs = FakeLabs(lambda order: NOTHING)
    result = examine(tmp_path, labs, submission(tmp_path))["team1"]
    assert {order.scenario.id for order in labs.orders} == {scenario.id for scenario in ASSIGNMENT}
    assert (result.verdict("assignment"), result.points()[0]) == ("fail", 0)
    assert next(check.reason for check in result.checks if check.id == "restart") == (
        "not run: the plain exchange does not pass"
    )


def test_a_detail_that_is_built_in_makes_a_scenario_not_applicable_and_costs_nothing(tmp_path: Path) -> None:
    built_in = Plan(PlannedProgram(("python3", "client.py")), PLAN.client2)
    labs = FakeLabs(finishing)
    result = examine(tmp_path, labs, submission(tmp_path, plan=built_in))["team1"]
    found = verdicts(result)
    assert (found["team-of-one"], found["long-names"], found["raw-utf8"]) == ("not applicable",) * 3
    assert "long-names" not in {order.scenario.id for order in labs.orders}
    whole = examine(tmp_path, labs, submission(tmp_path, "team2"))["team2"]
    assert result.points()[1] == whole.points()[1] - 2


def test_what_the_plan_leaves_out_or_weighs_differently(tmp_path: Path) -> None:
    plan = replace(PLAN, leave_out=frozenset({"silence", "restart"}), points={"port-probe": 5})
    result = examine(tmp_path, FakeLabs(finishing), submission(tmp_path, plan=plan))["team1"]
    usual = examine(tmp_path, FakeLabs(finishing), submission(tmp_path, "team2"))["team2"]
    assert [check.id for check in result.checks if not check.counts] == ["silence", "says-silence", "restart"]
    assert result.points()[1] == usual.points()[1] - 2 + 4
    assert "(does not count)" in as_text(result, False)


def test_a_program_that_needs_one_machine_is_remarked_and_passes(tmp_path: Path) -> None:
    addresses = PlanAddresses(("127.0.0.1", 5550), client2="127.0.0.1")
    labs = FakeLabs(lambda order: [Event(0.5, "client 2", "listening", text="127.0.0.1:5551"), *FINISHED[1:]])
    result = examine(tmp_path, labs, submission(tmp_path, plan=replace(PLAN, addresses=addresses)))["team1"]
    assert verdicts(result)["plain"] == "pass"
    assert [remark.partition(": ")[0] for remark in result.remarks] == [
        "the program looks for the server at 127.0.0.1",
        "the program looks for client 2 at 127.0.0.1",
        "client 2 listens on 127.0.0.1:5551 only",
    ]
    assert "  remark         client 2 listens on 127.0.0.1:5551 only: it cannot run on two" in as_text(result, False)


def test_on_loopback_nothing_is_run_that_needs_hosts(tmp_path: Path) -> None:
    labs = FakeLabs(finishing)
    examination = Examination(Labs(labs.start), partial(fill_local_order, seed=1), SCENARIOS, tmp_path / "out", jobs=1)
    [result] = examination.results([submission(tmp_path)])
    left_out = {check.id for check in result.checks if check.verdict == "not applicable"}
    assert left_out == {"delay-and-loss", "server-away", "own-name-is-loopback"}
    assert left_out.isdisjoint({order.scenario.id for order in labs.orders})


class Hanging(FakeLab):
    """A lab that never ends by itself."""

    def wait(self, timeout: float | None = None) -> int:
        if timeout is not None:
            raise subprocess.TimeoutExpired("lab", timeout)
        return -9


def test_a_lab_that_fails_hangs_or_leaves_a_damaged_record_costs_only_its_own_run(tmp_path: Path) -> None:
    hanging = Hanging()

    def start(order: LabOrder, folder: Path) -> LabProcess:
        if order.scenario.id == "restart":
            raise OSError("no room")
        lab = FakeLabs(finishing, code=3 if order.scenario.id == "raw-utf8" else 0).start(order, folder)
        if order.scenario.id == "late-welcome":
            with (folder / FILE).open("a") as file:
                file.write('{"at_s": 3, "wh')
            return hanging
        if order.scenario.id == "port-probe":
            (folder / FILE).write_text("[]\n")
        return lab

    examination = Examination(Labs(start), partial(fill_order, seed=1), SCENARIOS, tmp_path / "out", jobs=4)
    [result] = examination.results([submission(tmp_path)])
    reasons = {check.id: check.reason for check in result.checks if check.verdict == "unclear"}
    assert reasons["restart"] == "the examiner failed: OSError: no room"
    assert reasons["raw-utf8"] == "the examiner failed: the lab ended with exit code 3: "
    assert reasons["late-welcome"] == "the examiner failed: the lab did not end"
    assert reasons["port-probe"].startswith("the examiner failed: the record cannot be read: ")
    assert hanging.is_killed
    assert verdicts(result)["trailing-newline"] == "pass"
    kept = list(read_events(tmp_path / "out" / "team1" / "late-welcome"))
    assert (kept[:-1], kept[-1].what) == (FINISHED, "failure")


def test_a_submission_that_cannot_be_examined_costs_the_others_nothing(tmp_path: Path) -> None:
    large = submission(tmp_path, "large")
    with (large.folder / "film").open("wb") as film:
        film.truncate(33 * 2**20)
    broken = submission(
        tmp_path, "broken", Plan(PlannedProgram(("python3",)), PlannedProgram(()))
    )  # a mistake of ours: no command
    results = examine(tmp_path, FakeLabs(finishing), large, broken, submission(tmp_path))
    assert results["team1"].verdict("assignment") == "unclear"  # of the disturbed runs; the plain one passes
    assert verdicts(results["team1"])["plain"] == "pass"
    assert set(verdicts(results["large"]).values()) == {"unclear", "pass"}
    assert "it has 33 MiB; limits.disk_mib of the plan is 32" in as_text(results["large"], False)
    assert verdicts(results["broken"])["imports"] == "unclear"


def test_the_copy_has_neither_the_record_nor_what_is_not_a_file(tmp_path: Path) -> None:
    entry = submission(tmp_path)
    out = entry.folder / "out"
    (entry.folder / ".git").mkdir()
    (entry.folder / "link").symlink_to("/etc/hostname")
    subprocess.run(["mkfifo", str(entry.folder / "pipe")], check=True)
    examination = Examination(Labs(FakeLabs(finishing).start), partial(fill_order, seed=1), SCENARIOS, out, jobs=2)
    [_] = examination.results([entry])
    copy = out / "team1" / COPY
    assert sorted(path.name for path in copy.iterdir()) == ["client.py", "link"]
    assert (copy / "link").is_symlink()


def test_the_results_are_the_same_from_the_record(tmp_path: Path) -> None:
    plan = replace(PLAN, points={"restart": 3})
    results = examine(tmp_path, FakeLabs(finishing), submission(tmp_path, plan=plan), submission(tmp_path, "team2"))
    whole = document(results.values(), seed=7, isolated=True)
    (tmp_path / "out" / RESULTS).write_text(as_json_text(whole), encoding="utf-8")
    again, about = rejudge(tmp_path / "out", SCENARIOS)
    assert document(again, **about) == whole
    [one], about = rejudge(tmp_path / "out" / "team1", SCENARIOS)
    assert (one.name, about) == ("team1", {"seed": 7, "isolated": True})
    assert verdicts(one).items() <= verdicts(results["team1"]).items()
    [run], _ = rejudge(tmp_path / "out" / "team1" / "plain", SCENARIOS)
    assert (run.name, verdicts(run)) == ("team1", {"plain": "pass"})
    assert [result_from_json(json.loads(as_json_text(each.as_json()))) for each in results.values()] == list(
        results.values()
    )


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("other", "", "is not a record: there is neither results.json nor order.json in it"),
        (RESULTS, "{", "is damaged"),
        (RESULTS, '{"submissions": [{"name": 1}], "seed": 1, "isolated": true}', "is damaged"),
        (RESULTS, "[]", "is damaged"),
        (ORDER, '{"scenario": {"id": "none"}, "seed": 1, "isolated": true}', "is damaged: there is no scenario none"),
    ],
)
def test_a_folder_that_is_no_record_is_one_line(tmp_path: Path, name: str, content: str, what: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(RecordError, match=what):
        rejudge(tmp_path, SCENARIOS)


def test_the_text_shows_reasons_and_the_end_of_the_output_without_control_characters(tmp_path: Path) -> None:
    result = examine(tmp_path, FakeLabs(lambda order: FINISHED[:-1]), submission(tmp_path))["team1"]
    text = as_text(result, colour=False)
    assert text.startswith("team1: assignment fail, robustness 0 of ")
    assert "client 2 sent no message that the server could answer" in text
    assert "Try: The reason names the first step" in text
    assert "client 1: \\x1b[31mdone\n" in text
    assert "\x1b" not in text
    assert "\x1b[31mfail" in as_text(result, colour=True)
    assert class_line([result]) == "0 pass, 1 fail, 0 unclear"


def test_stopped_labs_are_killed_and_no_other_is_started(tmp_path: Path) -> None:
    started: list[FakeLab] = []
    labs = Labs(lambda order, folder: started.append(FakeLab()) or started[-1])  # type: ignore[func-returns-value]
    labs.stop()
    [event] = labs.run(fill_order(PLAN, SCENARIOS[0], tmp_path, 1), tmp_path / "run")
    assert (event.what, event.text, started) == ("failure", "stopped before the run", [])
