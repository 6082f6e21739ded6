"""`tandem demo`: it has no options."""

import argparse

from tandem.demo.demo import demo


def add_options(command: argparse.ArgumentParser) -> None:
    """Add no options."""


def run(options: argparse.Namespace) -> int:
    """Show the exchange."""
    demo()
    return 0
