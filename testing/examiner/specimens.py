"""Submissions with one mistake each: the right one with one piece of text changed, and the only check that fails.

The name of a specimen is the id of that check, or of the rule.
"""

from dataclasses import dataclass
from pathlib import Path

RIGHT = Path(__file__).parent / "right_submission.py"
PROGRAM = "client.py"  # its name in a submission


@dataclass(frozen=True)
class Specimen:
    """A change that makes one mistake."""

    old: str
    new: str
    also: tuple[str, ...] = ()  # other checks that may fail with this mistake


SPECIMENS = {
    "plain": Specimen('message["clientid"] = 2', 'message["clientid"] = 1', also=("team-of-one",)),
    "team-of-one": Specimen(
        "    message = handover(port)\n",
        "    message = handover(port)\n"
        '    if message["studentnr2"] == "0000000":\n'
        '        message["teamname"] = "alone"\n',
    ),
    "other-status": Specimen('if json.loads(reply)["status"] != "waiting for message 2":', "if not reply:"),
    "connection-loss": Specimen(
        "    reply = visit(server, message)\n",
        "    try:\n"
        "        reply = visit(server, message)\n"
        "    except ConnectionResetError as error:\n"
        "        print(error)\n"
        '        reply = json.dumps({**message, "status": "waiting for message 2"}).encode()\n',
    ),
    "silence": Specimen(
        "    reply = visit(server, message)\n",
        "    try:\n"
        "        reply = visit(server, message)\n"
        "    except TimeoutError as error:\n"
        "        print(error)\n"
        '        reply = json.dumps({**message, "status": "waiting for message 2"}).encode()\n',
    ),
    "says-connection-loss": Specimen(
        "    reply = visit(server, message)\n",
        "    try:\n"
        "        reply = visit(server, message)\n"
        "    except ConnectionResetError:\n"
        "        while True:\n"
        "            pause()\n",
    ),
    "says-silence": Specimen(
        "        reply = read_object(connection)\n    print",
        "        connection.settimeout(None)\n        reply = read_object(connection)\n    print",
    ),
    "client-1-first": Specimen(
        "    with connect(*peer) as connection:\n",
        "    with socket.create_connection(peer, TIMEOUT_S) as connection:\n",
    ),
    "reply-in-two": Specimen(
        "        piece = connection.recv(4096)\n",
        "        piece = connection.recv(4096)\n"
        "        if b'{' in data and 20 < len(piece):\n"
        "            sys.exit('what is this?')\n",
    ),
    "reply-byte-by-byte": Specimen(
        "        data += piece\n",
        "        data += piece\n        if len(data) < 10 and b'{' in data:\n            sys.exit('too short')\n",
    ),
    "trailing-newline": Specimen(
        "            continue\n        return message\n",
        "            continue\n"
        "        if not message.endswith(b'}'):\n"
        "            sys.exit('a newline')\n"
        "        return message\n",
    ),
    "late-welcome": Specimen(
        "        print(connection.recv(1024).decode())\n",
        "        connection.settimeout(1)\n        print(connection.recv(1024).decode())\n"
        "        connection.settimeout(TIMEOUT_S)\n",
        also=("delay-and-loss",),  # a lost packet is sent again after a second
    ),
    "long-names": Specimen(
        "        data += piece\n",
        "        data += piece\n        if len(data) > 380:\n            sys.exit('too long')\n",
    ),
    "raw-utf8": Specimen("    print(reply.decode())\n", '    print(reply.decode("ascii"))\n'),
    "port-probe": Specimen(
        "        if not piece:\n",
        "        if not piece and not data:\n            sys.exit('nothing came')\n        if not piece:\n",
    ),
    "garbage-connection": Specimen(
        "        data += piece\n",
        "        data += piece\n        if data.startswith(b'GET'):\n            sys.exit('a browser')\n",
    ),
    "idle-connection": Specimen("            connection.settimeout(SILENT_S)\n", ""),
    "delay-and-loss": Specimen(
        "        reply = read_object(connection)\n    print",
        "        connection.settimeout(0.3)\n"
        "        connection.recv(1, socket.MSG_PEEK)\n"
        "        connection.settimeout(TIMEOUT_S)\n"
        "        reply = read_object(connection)\n"
        "    print",
    ),
    "restart": Specimen("        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n", ""),
    "server-away": Specimen(
        '            print(f"try {number}: no connection to {host}:{port}: {error}")\n            pause()\n',
        "            while number == 1 and port != 5551:\n                pause()\n            pause()\n",
    ),
    "own-name-is-loopback": Specimen(
        'listener.bind(("", port))', "listener.bind((socket.gethostbyname(socket.gethostname()), port))"
    ),
}


def write_submission(folder: Path, specimen: Specimen | None = None) -> Path:
    """Write the right submission, or one with a mistake, into a new folder.

    Raises:
        ValueError: the piece that is changed is not in the right submission, or is there more than once.
    """
    source = RIGHT.read_text(encoding="utf-8")
    if specimen is not None:
        if source.count(specimen.old) != 1:
            raise ValueError(f"{source.count(specimen.old)} times in the right submission: {specimen.old!r}")
        source = source.replace(specimen.old, specimen.new)
    folder.mkdir(parents=True)
    (folder / PROGRAM).write_text(source, encoding="utf-8")
    return folder
