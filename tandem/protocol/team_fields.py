"""TEAM.json: the team's four fields in a message of which the rest is ignored. The clients and `tandem check` use it.

Takes what is in the file, and opens no files. The values of the fields are checked where message 1 is.
"""

from tandem.protocol.message import FIELDS

TEAM_FIELDS = ("studentnr1", "studentnr2", "classname", "teamname")


def team_in(found: object, path: str) -> dict[str, str]:
    """Return the team's fields in the JSON value of a file. Fields that are missing there are left out.

    Raises:
        ValueError: It is no object, or its names or types are wrong. The message says which, and names the file.
    """
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a JSON object: it must be a message, in braces")
    for name, value in found.items():
        if holds_message(value) and found.keys().isdisjoint(TEAM_FIELDS):
            raise ValueError(f"{path} has the message in {name}: the object in braces must be the message itself")
    misspelt = {name: meant for name in found if name not in FIELDS and (meant := _meant_field(name, found))}
    if misspelt:
        wrong, right = (" and ".join(names) for names in (misspelt.keys(), misspelt.values()))
        missing = "".join(f" and no {name}" for name in TEAM_FIELDS if name not in (*found, *misspelt.values()))
        raise ValueError(f"{path} has {wrong} in place of {right}{missing}: correct the names")
    team = {name: found[name] for name in TEAM_FIELDS if name in found}
    for name, value in team.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} in {path} is not text: {_as_text(name, value)}")
    return team


def holds_message(value: object) -> bool:
    """Return whether a value in an object is itself a message, as an object, as a text, or in a list."""
    is_text = isinstance(value, str) and value.lstrip().startswith("{")
    if not is_text and not isinstance(value, (dict, list)):
        return False
    try:
        return any(name in str(value) for name in TEAM_FIELDS)
    except RecursionError:  # later Pythons read brackets that they cannot write
        return False


def _meant_field(written: str, found: dict[str, object]) -> str:
    """Return the field of the team that a name in the file most likely stands for, "" if none or if that is there."""
    letters = "".join(c for c in written.lower() if c.isalnum())
    digit = letters[-1:] if letters[-1:].isdigit() else "1"  # studentnr was the name of studentnr1 before
    for name in TEAM_FIELDS:
        if name not in found and letters[:4] == name[:4] and (not name[-1].isdigit() or name[-1] == digit):
            return name
    return ""


def _as_text(name: str, value: object) -> str:
    """Return how to write a value that is not text."""
    if value is None and name == "studentnr2":
        return f'write "{name}": "0000000" for a team of one, else the number of the teammate in quotes'
    if type(value) is int:
        return f'write it in quotes, "{name}": "{value}", with the zeros at its beginning if it has some'
    return f'write it in quotes, "{name}": "…"'
