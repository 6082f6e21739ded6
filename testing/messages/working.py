"""Right messages, as working programs send them: no problem may be found in any of them.

Each row has the bytes, the ids of the remarks that must be found, and the sender's address.
"""

import json
from typing import NamedTuple

from testing.messages.corpus import LINES, ONE, SECOND, SECRET, TEAM, TEAM_2, TIGHT, but, second, team
from testing.messages.sending import ADDRESS


class Working(NamedTuple):
    """A message that is accepted."""

    data: bytes
    remarks: tuple[str, ...] = ()
    address: str = ""


def working(data: str | bytes, *remarks: str, address: str = "") -> Working:
    """Return a row of the table."""
    return Working(data.encode() if isinstance(data, str) else data, tuple(sorted(remarks)), address)


MESSAGES = [
    working(ONE),
    working(LINES),
    working(TIGHT),
    working(SECOND),
    working(json.dumps(TEAM_2, indent=2)),
    working(ONE + "\n"),
    working(ONE + "\r\n"),
    working(" \r\n" + LINES + "\n\n"),
    working(json.dumps(TEAM, indent="\t", sort_keys=True)),
    working(json.dumps(dict(reversed(TEAM.items())))),
    working(team(teamname="Zoë en René")),
    working(json.dumps(TEAM | {"teamname": "Zoë en René 🏴‍☠️"}, ensure_ascii=False)),
    working(team(teamname='the "best" \\ team / 1')),
    working(team(teamname="{INF2C: [team, 1]}")),
    working(team(teamname="it's 100% #1 // Team's")),
    working(team(teamname="“Packet”, ip: 1")),
    working(team(teamname='x", "ip": "y')),
    working(team(teamname="PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550")),
    working(team(classname="PROXY UNKNOWN\\r\\n", teamname="\\r\\n\\r\\n\\0\\r\\nQUIT\\n")),
    working("\r\n\r\n" + team(teamname="QUIT")),
    working(team(teamname="non-breaking space")),
    working(team(teamname="x" * 128, classname="y" * 64)),
    working(team(studentnr1="1", studentnr2="2" * 32), *["studentnr-unusual"] * 2),
    working(team(studentnr1="s0987654"), "studentnr-unusual"),
    working(team(studentnr2="")),
    working(team(studentnr2="0000000")),
    working(team(studentnr2="0987654")),
    working(second(studentnr1="", studentnr2="0987654")),
    working(second(studentnr1="0000000", studentnr2="0987654")),
    working(second(studentnr1="0987654", studentnr2="0987654")),
    working(team(secret=None, status=None), *["null-as-empty"] * 2),
    working(team(status=None), "null-as-empty"),
    working(second(status=None), "null-as-empty"),
    working(second(status=""), "status-blanked"),
    working(second(status="ok"), "status-changed"),
    working(team(studentnr1="b'0912345'", teamname="b'Rev'"), *["field-as-bytes"] * 2),
    working(team(teamname="Bob's bits")),
    working(team(ip="localhost"), "ip-not-an-address"),
    working(team(ip="DESKTOP-4F7Q2"), "ip-not-an-address"),
    working(team(ip="127.0.0.1"), "ip-loopback"),
    working(team(ip="127.0.1.1"), "ip-loopback", address=ADDRESS),
    working(team(ip="::1"), "ip-loopback"),
    working(team(ip="127.0.0.1"), address="127.0.0.1"),
    working(team(ip="127.0.1.1"), address="127.0.0.1"),
    working(team(ip="::1"), address="::1"),
    working(team(ip="127.0.0.1"), address="::1"),
    working(team(ip="192.168.1.2"), "ip-elsewhere", address="127.0.0.1"),
    working(team(teamname="\U0001f469\u200d\U0001f4bb crew")),
    working(team(ip="2001:db8:0:0::7"), address="2001:db8::7"),
    working(team(ip="fe80::1%eth0"), address="fe80::1"),
    working(ONE, address=ADDRESS),
    working(ONE, "ip-elsewhere", address="10.0.0.7"),
    working(team(teamname="your best friends", classname="yours")),
    working(team(teamname="y.o.u.r team name")),
    working(but(ONE, ('"classname"', '"\\u0063lassname"'))),
    working(but(ONE, ('"secret": ""', '"secret":""'), ('"clientid": 1', '"clientid" :\n1'))),
    working(second(secret="not what the server gave")),
    working(second(secret=SECRET.upper())),
]
