"""`tandem demo`: it has no options."""

import argparse

from tandem.commands.arguments import set_example
from tandem.demo.demo import demo


def add_options(command: argparse.ArgumentParser) -> None:
    """Add no options, but an example."""
    set_example(command, "tandem demo")


def run(options: argparse.Namespace) -> int:
    """Show the exchange."""
    demo()
    return 0
