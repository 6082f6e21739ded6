"""The parsers of all commands, by the words that lead to them."""

import argparse
from collections.abc import Iterator
from importlib import import_module

from tandem.cli import COMMANDS
from tandem.commands.arguments import Parser


def parsers(name: str) -> Iterator[tuple[tuple[str, ...], Parser]]:
    """Yield a command's parser, and those of the commands below it, with the words that lead there."""
    top = Parser(prog=name)
    import_module(f"tandem.commands.{name}").add_options(top)
    yield from _with_those_below((name,), top)


def _with_those_below(words: tuple[str, ...], parser: Parser) -> Iterator[tuple[tuple[str, ...], Parser]]:
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _with_those_below((*words, name), below)


PARSERS = {words: parser for name in COMMANDS if name != "client" for words, parser in parsers(name)}
