"""The placeholders of a plan: names in braces for which the examiner puts in what holds in a run.

Only `{name}` with one of these names is replaced. All other braces stay, so JSON is written as it is.
"""

import json
import re
from collections.abc import Iterable, Mapping

PLACEHOLDERS = {
    "server_host": "the address of the server",
    "server_port": "the port of the server",
    "peer_host": "the address where client 1 looks for client 2",
    "peer_port": "the port where client 1 looks for client 2",
    "listen_port": "the port on which client 2 listens",
    "own_host": "the address of the host on which the program runs",
    "clientid": "1 for client 1, 2 for client 2",
    "studentnr1": "the number of the student whose program is client 1",
    "studentnr2": "the number of the student whose program is client 2",
    "classname": "the class",
    "teamname": "the name of the team",
}
TEAM_DETAILS = ("studentnr1", "studentnr2", "classname", "teamname")
OF_ONE_PROGRAM = ("own_host", "clientid")  # they differ between the programs, so files cannot have them

_IN_BRACES = re.compile(r"\{([A-Za-z]\w*)\}")


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the names in braces in some texts, known or not."""
    return frozenset(name for text in texts for name in _IN_BRACES.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the value of each known placeholder in its place."""
    return _IN_BRACES.sub(lambda found: values.get(found[1], found[0]), text)


def fill_file(path: str, text: str, values: Mapping[str, str]) -> str:
    """Return the content of a file. In a .json file the values are escaped as in a JSON text."""
    if path.endswith(".json"):
        values = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()}
    return fill(text, values)
