"""No option is accepted and ignored: every pair of options of every command is refused, or both have their effect."""

import argparse
import re
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from tandem.cli import main
from tandem.client.__main__ import main as client
from tandem.client.options import _CONFLICTS, USAGE
from tandem.commands.arguments import Parser
from tandem.commands.combinations import Excludes, Interaction, Requires, RequiresValue, violated_rule
from tandem.protocol.errors import UsageError
from testing.command_parsers import PARSERS
from testing.command_walks import AWAY, CLIENTS, WALKS, Stage, Walk, run_client
from testing.processes import ROOT, tandem


def options_of(parser: Parser) -> set[str]:
    """What the parser takes: options, files, and a command below it that need not be there."""
    found = set[str]()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= set() if action.required else set(action.choices)
        elif action.dest != "help":
            found.add(action.option_strings[0] if action.option_strings else str(action.metavar))
    return found


def test_every_option_of_every_command_is_walked() -> None:
    walked = {walk.command: set(walk.examples) for walk in WALKS}
    assert walked == {words: found for words, parser in PARSERS.items() if (found := options_of(parser))} | {
        ("demo",): set()
    }
    of_client = {f"--{name}" for name in re.findall(r"^  --([\w-]+)", USAGE, re.MULTILINE)} | {"TEAM.json"}
    assert [set(walk.examples) for walk in CLIENTS] == [of_client, of_client]


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
def test_two_dashes_as_the_value_of_an_option_are_text(walk: Walk, capsys: pytest.CaptureFixture[str]) -> None:
    """They are the value, or refused as a wrong one. argparse of Python 3.11 makes an empty list of them."""
    parser = PARSERS[walk.command]
    for action in parser._actions:
        if not action.option_strings or action.nargs == 0:
            continue
        name = action.option_strings[0]
        needed = [word for other, words in walk.base.items() if other != name for word in words]
        found = None
        with suppress(SystemExit):
            found = getattr(parser.parse_args([*needed, f"{name}=--"]), action.dest)
        error = capsys.readouterr().err
        is_refused = found is None and error.count("\n") == 1 and name in error
        assert is_refused or "'--'" in repr(found), name  # a text, a path, or the host of an address


def test_an_empty_name_of_a_file_or_folder_is_refused() -> None:
    """Path makes the current folder of it."""
    names = 0
    for parser in PARSERS.values():
        for action in parser._actions:
            if callable(action.type) and isinstance(action.metavar, str) and action.metavar.startswith(("FILE", "DIR")):
                names += 1
                assert action.type("x") == Path("x")
                with pytest.raises(argparse.ArgumentTypeError, match="it is empty"):
                    action.type("")
    assert names > 8


NUMBERS = {"12": True, "1_2": False, "1e1": False, "\u0661\u0662": False, "+12": False, " 12": False, "nan": False}


@pytest.mark.parametrize(("text", "is_right"), NUMBERS.items(), ids=ascii)
def test_a_number_is_written_in_ascii_digits(text: str, is_right: bool) -> None:
    """float() and int() read more than that."""
    numbers = 0
    for parser in PARSERS.values():
        for action in parser._actions:
            read = action.type
            if not (callable(read) and action.metavar in ("N", "S", "HOURS", "R", "PID")):
                continue
            numbers += 1
            with nullcontext() if is_right else pytest.raises(argparse.ArgumentTypeError):
                assert read(text) == 12
    assert numbers > 9


def test_a_date_is_written_in_ascii_digits() -> None:
    read = next(action.type for action in PARSERS["forget",]._actions if action.dest == "before")
    assert callable(read)
    assert read("2026-12-31")
    with pytest.raises(argparse.ArgumentTypeError, match="is not a date as 2026-12-31"):
        read("\u0662026-12-31")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stage:
    return Stage(tmp_path, monkeypatch, capsys)


@pytest.mark.needs_extra
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
def test_a_pair_is_refused_or_both_options_count(walk: Walk, stage: Stage) -> None:
    rules = PARSERS[walk.command].rules
    alone = {name: stage.run(walk, name) for name in walk.examples}
    for one, other in combinations(walk.examples, 2):
        seen = stage.run(walk, one, other)
        wrong = violated_rule([one, other], rules)
        if wrong:
            assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1), (one, other)
            assert wrong in seen.err
        elif seen.code != 2:
            assert seen != alone[one], f"{other} is ignored beside {one}"
            assert seen != alone[other], f"{one} is ignored beside {other}"
        else:
            what = seen.err.partition(". Try: ")[0]
            is_known = any(alone[name].err.startswith(what) for name in (one, other)) or any(
                str(rule)[:-1] in seen.err for rule in rules
            )
            assert is_known, f"{one} and {other} are refused, and no rule says so"


@pytest.mark.needs_extra
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
def test_values_that_do_not_go_together_are_refused_as_the_rule_says(walk: Walk, stage: Stage) -> None:
    rules = {
        frozenset({rule.option, rule.other}): rule
        for rule in PARSERS[walk.command].rules
        if isinstance(rule, RequiresValue)
    }
    assert rules.keys() == walk.refused.keys()
    for pair, words in walk.refused.items():
        seen = stage.run(replace(walk, pairs={pair: words}), *sorted(pair))
        assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1), seen
        assert str(rules[pair])[:-1] in seen.err
        assert stage.run(walk, *sorted(pair)).code != 2, f"no example shows how {sorted(pair)} go together"


def test_serve_says_which_options_of_the_board_it_lacks() -> None:
    lacks = options_of(PARSERS["board",]) - options_of(PARSERS["serve",]) - {"token", "--until-input-ends"}
    assert lacks
    told = (" ".join(tandem("serve", "--help")[1].split()), (ROOT / "docs" / "board.md").read_text(encoding="utf-8"))
    for words in (told[0].partition("--board HOST:PORT run")[2], told[1].partition("`serve --board` has none of")[2]):
        sentence = words.partition("by itself")[0]
        assert all(option in sentence for option in lacks), sentence


@pytest.mark.needs_extra
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
def test_an_option_counts_alone_and_only_once(walk: Walk, stage: Stage) -> None:
    nothing = stage.run(walk)
    for name, words in walk.examples.items():
        assert stage.run(walk, name) != nothing, f"{name} is ignored"
        if name.startswith("--") and name not in PARSERS[walk.command].repeatable:
            twice = stage.run(Walk(walk.command, {name: (*words, *words)}, walk.base), name)
            assert twice.code == 2
            assert "give it once" in twice.err


@pytest.mark.parametrize("walk", CLIENTS, ids=lambda walk: f"client {walk.command[0]}")
def test_a_pair_of_the_clients_is_refused_or_both_options_count(
    walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "team.json").write_text('{"classname": "from the file"}')
    monkeypatch.chdir(tmp_path)
    if walk.command == ("1",):  # what the file has must be seen: nothing overrides it
        walk = Walk(walk.command, walk.examples, {n: w for n, w in walk.base.items() if n != "--classname"})
        walk.base["--classname"] = ("--classname", "INF2A")
    for one, other in combinations(walk.examples, 2):
        if refused_of_client(walk, one, other):
            with pytest.raises(UsageError, match="cannot be used with"):
                run_client(walk, one, other)
            continue
        seen = run_client(walk, one, other)
        for first, second in ((one, other), (other, one)):
            if not refused_of_client(walk, first) and not is_overridden(walk, second, first):
                assert seen != run_client(walk, first), f"{second} is ignored beside {first}"


def refused_of_client(walk: Walk, *names: str) -> bool:
    words = {*names, f"client {walk.command[0]}", *(" ".join(walk.examples[name]) for name in names)}
    return any(option in words and other in words for option, other, _, _ in _CONFLICTS)


def is_overridden(walk: Walk, name: str, beside: str) -> bool:
    """TEAM.json gives way to the options for its fields: the usage says so."""
    return name == "TEAM.json" and (beside == "--classname" or "--classname" in walk.base)


@pytest.mark.parametrize(("words", "parser"), PARSERS.items(), ids=lambda value: str(value)[:20])
def test_the_help_says_what_does_not_go_together(words: tuple[str, ...], parser: Parser) -> None:
    help = " ".join(tandem(*words, "--help")[1].split())
    for rule in parser.rules:
        assert str(rule) in help


def test_the_help_of_the_client_says_what_does_not_go_together() -> None:
    assert all(option in USAGE.partition("--peer cannot be used")[2] or option == "--peer" for option, *_ in _CONFLICTS)


@pytest.mark.needs_extra
def test_a_folder_beside_a_database_of_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TANDEM_DATABASE", AWAY)
    with pytest.raises(SystemExit, match="2"):
        main(["results", "--data", "tandem-data"])
    assert "--data cannot be used with TANDEM_DATABASE" in capsys.readouterr().err


def test_an_option_has_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["results", "--stat", "finished"])
    assert "--stat" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--teamname", "--verbose"])
def test_an_option_of_the_client_is_given_once(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"--teamname": ["--teamname", "one", "--teamname=two"], "--verbose": ["--verbose", "--verbose"]}[option]
    assert client(["2", "--server", "192.0.2.1", *words]) == 2
    assert f"{option} is given more than once" in capsys.readouterr().err


RULES = (Excludes(("--a", "--b"), ("--c",), "why"), Requires("--d", "--a", "why"), Interaction(("--a", "--b"), "how"))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ([], ""),
        (["--a", "--b"], ""),
        (["--b", "--c"], "--b cannot be used with --c: why; leave one of them out"),
        (["--d"], "--d needs --a: why"),
        (["--d", "--a"], ""),
        (["--e", "--e"], "--e is given 2 times: give it once"),
        (["--f", "--f"], ""),
    ],
)
def test_a_rule_is_broken_by_what_is_given(given: list[str], wrong: str) -> None:
    assert violated_rule(given, RULES, repeatable=("--f",)) == wrong
