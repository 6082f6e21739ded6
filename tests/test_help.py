"""Help: every command has an example that is a right command line; names with a typing error; completions, manual."""

import re
import shlex
import subprocess
from itertools import takewhile

import pytest

from tandem.cli import COMMANDS, main
from tandem.client.options import USAGE
from tandem.commands.arguments import Parser
from testing.command_parsers import PARSERS
from testing.processes import ROOT, tandem
from testing.shell_files import SHARE, shell_files, whole_parser

NAMES = {" ".join(words): parser for words, parser in PARSERS.items()}


def words_of(example: str) -> list[str]:
    """The words of an example, without `tandem` and without what the shell does with its output."""
    return list(takewhile(lambda word: word != ">", shlex.split(example)[1:]))


@pytest.mark.parametrize("parser", NAMES.values(), ids=list(NAMES))
def test_every_command_has_examples_that_it_accepts(parser: Parser) -> None:
    assert parser.examples
    for example in parser.examples:
        whole_parser().parse_args(words_of(example))
        assert f"\n  {example}\n" in parser.format_help()


def test_the_examples_of_the_client_are_accepted() -> None:
    examples = re.findall(r"^  (tandem client .*)$", USAGE, re.MULTILINE)
    assert [words_of(example)[1] for example in examples] == ["2", "1"]
    for example in examples:
        whole_parser().parse_args(words_of(example))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("serv", "tandem: there is no command 'serv': did you mean serve? see tandem --help\n"),
        ("SERVE", "tandem: there is no command 'SERVE': did you mean serve? see tandem --help\n"),
        ("help serv", "tandem: there is no command 'serv': did you mean serve? see tandem --help\n"),
        ("nonsense", f"tandem: there is no command 'nonsense': choose from {', '.join(COMMANDS)}; see tandem --help\n"),
        (
            "--data x",
            "tandem: there is no option --data before the command: write tandem COMMAND --data; see tandem --help\n",
        ),
        (
            "serve --lisen 5",
            "tandem serve: there is no option --lisen: did you mean --listen? see tandem serve --help\n",
        ),
        ("serve --quiet", "tandem serve: there is no option --quiet; see tandem serve --help\n"),
        (
            "key rotate --valld=3",
            "tandem key rotate: there is no option --valld: did you mean --valid? see tandem key rotate --help\n",
        ),
    ],
)
def test_a_typing_error_is_told_with_the_name_that_was_meant(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words.split())
    assert (end.value.code, capsys.readouterr().err) == (2, said)


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("help", "--help"),
        ("help help", "--help"),
        ("help serve", "serve --help"),
        ("help key rotate", "key rotate --help"),
    ],
)
def test_help_is_a_command_too(words: str, same: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for arguments in (words, same):
        with pytest.raises(SystemExit) as end:
            main(arguments.split())
        assert end.value.code == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""


def test_help_of_the_client_is_its_own() -> None:
    assert tandem("help", "client") == (0, USAGE, "")


def test_the_version_has_a_short_option() -> None:
    assert tandem("-V") == tandem("--version")


@pytest.mark.parametrize(("name", "text"), shell_files().items(), ids=list(shell_files()))
def test_the_files_for_the_shell_are_those_of_the_parsers(name: str, text: str) -> None:
    assert (SHARE / name).read_text(encoding="utf-8") == text, "run python3 -m testing.shell_files"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["tandem", "se"], ["serve"]),
        (["tandem", "client", "1", "--te"], ["--teamname"]),
        (["tandem", "key", "rotate", "--v"], ["--valid"]),
        (["tandem", "serve", "--errors", ""], ["explain", "close", "silent"]),
    ],
    ids=["command", "client", "subcommand", "choices"],
)
def test_bash_completes_commands_options_and_choices(typed: list[str], offered: list[str]) -> None:
    script = f"""source {shlex.quote(str(SHARE / "bash-completion/completions/tandem"))}
COMP_WORDS=({shlex.join(typed)}); COMP_CWORD={len(typed) - 1}; _shtab_tandem; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == offered
