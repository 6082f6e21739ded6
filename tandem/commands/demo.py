"""`tandem demo`"""

import argparse

from tandem.demo.demo import demo


def add_options(command: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    demo()
    return 0
