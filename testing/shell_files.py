"""Make the completions for bash and zsh and the manual page from the parsers: python3 -m testing.shell_files.

They are files of share/, so that nothing but Python is needed to use them. A test compares them with the parsers.
"""

import os
import re
from importlib import import_module

import shtab
from argparse_manpage.manpage import Manpage

from tandem import __version__
from tandem.cli import COMMANDS
from tandem.client.options import USAGE
from tandem.commands.arguments import Parser
from testing.processes import ROOT

SHARE = ROOT / "share"
FILE_ARGUMENTS = ("FILE", "TEAM.json", "FILE.json")
FOLDER_ARGUMENTS = ("DIR",)


def whole_parser() -> Parser:
    """Return one parser with every command and every option, those of the client too."""
    parser = Parser(prog="tandem", description="A networking assignment as real software: clients, server, results.")
    parser.add_argument("-V", "--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words)
        if name == "client":
            _add_client_options(command)
        else:
            import_module(f"tandem.commands.{name}").add_options(command)
    return parser


def _add_client_options(command: Parser) -> None:
    """Add the options of the client, which has no argparse, from its usage."""
    command.add_argument("clientid", choices=("1", "2"), help="which client this is")
    command.add_argument("file", nargs="?", metavar="TEAM.json", help="a message with the team's details")
    for name, value, words in re.findall(r"^  --(\w+) (\S*) *(.*)$", USAGE, re.MULTILINE):
        if value:
            command.add_argument(f"--{name}", metavar=value, help=words)
        else:
            command.add_argument(f"--{name}", action="store_true", help=words)


def _with_completions(parser: Parser) -> Parser:
    """Say which arguments are files and folders."""
    for action in parser._actions:
        if action.metavar in FILE_ARGUMENTS:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in FOLDER_ARGUMENTS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        for below in action.choices.values() if isinstance(action.choices, dict) else ():
            _with_completions(below)
    return parser


def shell_files() -> dict[str, str]:
    """Return the files: name in share/ -> text."""
    os.environ["COLUMNS"] = "80"  # the width of usage lines
    parser = _with_completions(whole_parser())
    about = {"project_name": "tandem", "version": __version__, "date": _last_release(), "manual_title": "Tandem"}
    page = Manpage(whole_parser(), about | {"format": "single-commands-section"})
    return {
        "bash-completion/completions/tandem": shtab.complete(parser, "bash"),
        "zsh/site-functions/_tandem": shtab.complete(parser, "zsh"),
        "man/man1/tandem.1": f"{page}",
    }


def _last_release() -> str:
    """Return the newest date in the changelog."""
    dates: list[str] = re.findall(r"\d{4}-\d{2}-\d{2}", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    return max(dates)


def main() -> None:
    """Write the files."""
    for name, text in shell_files().items():
        path = SHARE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
