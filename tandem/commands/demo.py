"""`tandem demo`"""

import argparse

from tandem.demo.demo import DemoError, demo
from tandem.report.screen import print_error


def add_options(command: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    try:
        demo()
    except DemoError as trouble:
        return print_error(str(trouble))
    return 0
