"""`tandem demo`"""

import argparse

from tandem.demo.demo import DemoTrouble, demo
from tandem.report.screen import complain


def add_options(command: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    try:
        demo()
    except DemoTrouble as trouble:
        return complain(str(trouble))
    return 0
