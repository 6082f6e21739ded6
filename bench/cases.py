"""Small inputs that failed once, tried on the server, the clients and the gradebook, as a table.

    python3 -m bench.cases FOLDER

FOLDER has three folders: `messages` (sent to the server whole, and cut in two at every place), `team` (a TEAM.json for
the clients and for `tandem check`), and `rosters` (uploaded to the gradebook). The table shows what their sender reads.
Exits with 1 if an answer depends on where a message is cut, or if a command ends in another way than it may.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tandem.board.gradebook.roster import RosterError, parse_roster
from tandem.client.options import parse_options
from tandem.protocol.errors import UsageError
from tandem.protocol.message import decode
from tandem.protocol.reader import COMPLETE, Reader
from tandem.report.check import check
from tandem.server.actions import ProxiedPeer, Reply
from testing.handled import handled, new_handler

_SENDER = ProxiedPeer("127.0.0.1", 51234, 0.0)  # on the same machine


def answered(pieces: list[bytes]) -> str:
    """Return the status that the server sends after these pieces and then silence."""
    action = handled(new_handler(), pieces, peer=_SENDER)
    return decode(action.data).status if isinstance(action, Reply) else "accepted: the reply follows its commit"


def message_rows(data: bytes) -> Iterator[str]:
    """Yield the answer to a message, whole and cut at every place before the end of its object."""
    whole = answered([data])
    yield f"server   {whole}"
    reader = Reader()
    closed = len(data) - len(reader.tail) if reader.feed(data) is COMPLETE else len(data)
    for at in range(1, closed):
        cut = answered([data[:at], data[at:]])
        if cut != whole:
            yield f"DIFFERS  cut at byte {at}: {cut}"
            return


def team_rows(path: Path) -> Iterator[str]:
    """Yield what client 1 and `tandem check` say about a TEAM.json."""
    try:
        options = parse_options(["1", str(path), "--server", "127.0.0.1", "--peer", "127.0.0.1"])
        yield f"client   takes {options.team}"
    except UsageError as error:
        yield f"client   {error}"
    found = check(path.read_bytes())
    for problem in (*found.problems, *found.remarks):
        yield f"check    {problem.id}: {problem.sentence}"


def roster_rows(data: bytes) -> Iterator[str]:
    """Yield what the gradebook takes of a roster, and what it remarks or refuses."""
    try:
        roster = parse_roster(data)
    except RosterError as error:
        yield f"refused  {error}"
        return
    yield from (f"taken    {team}" for team in roster.teams)
    yield from (f"remark   {remark}" for remark in roster.remarks)


def rows(path: Path) -> Iterator[str]:
    """Yield the lines about one input."""
    if path.parent.name == "messages":
        yield from message_rows(path.read_bytes())
    elif path.parent.name == "team":
        yield from team_rows(path)
    else:
        yield from roster_rows(path.read_bytes())


def main() -> int:
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Try small inputs that failed once.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args().folder
    differs = False
    for part in ("messages", "team", "rosters"):
        for path in sorted((folder / part).iterdir()):
            print(f"\n{part}/{path.name}")
            for row in rows(path):
                print(f"    {row}")
                differs = differs or row.startswith("DIFFERS")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
