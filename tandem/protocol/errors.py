"""The root of the errors that a person reads: what happened, and what to try. Imports nothing.

A command raises one of these. tandem/cli.py prints it in one line on standard error; tandem/client/__main__.py does
so for the client, which also runs without the rest of the project.
"""


class TandemError(Exception):
    """The command did not work. str() is the line to print: "what. Try: help", or `what` alone."""

    exit_code = 1

    def __init__(self, what: str, help: str = "") -> None:
        super().__init__(what, help)
        self.what = what  # what happened, without a full stop
        self.help = help  # what to try; "" if there is nothing to add

    def __str__(self) -> str:
        return f"{self.what}. Try: {self.help}" if self.help else self.what


class UsageError(TandemError):
    """The command line, or a file that it names, is wrong. Nothing was done."""

    exit_code = 2
