"""Submissions with the manners of real programs, right and hostile ones: the right one with a piece of text changed.

Each has what must come out: the checks that fail, and why a program was stopped.
"""

from dataclasses import dataclass, field

from testing.examiner.right_submission import __file__ as _right

_MAIN = 'if __name__ == "__main__":\n    main(sys.argv[1:])\n'
_FIRST = "def main(words: list[str]) -> None:\n"
_WORDS = "    clientid, server_host, server_port, peer_host, peer_port, *details = words\n"
_TEAM = '["0923456", "0934567", "INF2A", "Team1"]'
_HANDOVER = "        connection.sendall(reply)\n"
_ACCEPTED = "            connection.settimeout(SILENT_S)\n            with connection:\n"
_READ_OBJECT = '        message = data[data.find(b"{") :] if b"{" in data else b""\n        try:\n'


@dataclass(frozen=True)
class Manner:
    """A submission, how it is started, and what must come out."""

    what: str
    changes: tuple[tuple[str, str], ...] = ()  # in the right submission: old -> new, each once
    command: str = "python3 client.py {clientid} {server_host} {server_port} {peer_host} {listen_port} {details}"
    prompts: tuple[tuple[str, str], ...] = ()  # pattern -> answer, of both programs
    server: str = ""  # HOST:PORT that is built in
    client2: str = ""  # host of client 2 that is built in
    fails: frozenset[str] = field(default_factory=frozenset)  # of the checks that could be decided
    stopped: str = ""  # why a program is stopped in the plain exchange: time, output, processes, memory
    not_applicable: frozenset[str] = field(default_factory=frozenset)

    def source(self) -> str:
        """Return the program.

        Raises:
            ValueError: a piece that is changed is not in the right submission, or is there more than once.
        """
        with open(_right, encoding="utf-8") as file:
            source = file.read()
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"{source.count(old)} times in the right submission: {old!r}")
            source = source.replace(old, new)
        return source


DETAILS_BUILT_IN = frozenset({"team-of-one", "long-names", "raw-utf8"})
NOTHING_WORKS = frozenset({"plain", "team-of-one"})


def _before(lines: str) -> tuple[tuple[str, str], ...]:
    """Return the change that runs some lines before everything else."""
    return ((_MAIN, f'if __name__ == "__main__":\n{lines}    main(sys.argv[1:])\n'),)


MANNERS = {
    "never-exits": Manner(
        "Waits for ever after all is done.",
        (
            (
                _MAIN,
                'if __name__ == "__main__":\n'
                "    try:\n"
                "        main(sys.argv[1:])\n"
                "    except SystemExit as error:\n"
                "        print(error)\n"
                "    while True:\n"
                "        pause()\n",
            ),
        ),
    ),
    "crashes-after-success": Manner(
        "Ends with a traceback after it has finished.", ((_MAIN, f'{_MAIN}    raise RuntimeError("the end")\n'),)
    ),
    "address-built-in": Manner(
        "Knows one server, one client 2 and one team.",
        (
            (
                _WORDS,
                '    server_host, server_port, peer_host, peer_port = "145.24.222.82", 8001, "10.0.0.12", 5551\n'
                f"    clientid, details = words[0], {_TEAM}\n",
            ),
        ),
        command="python3 client.py {clientid}",
        server="145.24.222.82:8001",
        client2="10.0.0.12",
        not_applicable=DETAILS_BUILT_IN,
    ),
    "loopback-built-in": Manner(
        "Was only ever run on one machine.",
        (
            (
                _WORDS,
                '    server_host, server_port, peer_host, peer_port = "127.0.0.1", 5550, "127.0.0.1", 5551\n'
                f"    clientid, details = words[0], {_TEAM}\n",
            ),
            ('listener.bind(("", port))', 'listener.bind(("127.0.0.1", port))'),
        ),
        command="python3 client.py {clientid}",
        server="127.0.0.1:5550",
        client2="127.0.0.1",
        not_applicable=DETAILS_BUILT_IN,
    ),
    "asks": Manner(
        "Asks for everything with input().",
        (
            (
                _WORDS,
                '    clientid = input("client 1 or 2? ")\n'
                '    server_host, server_port = input("server: ").split(":")\n'
                '    peer_host, peer_port = input("client 2: ").split(":")\n'
                '    details = [input(f"{name}? ") for name in ("number", "teammate", "class", "team")]\n',
            ),
        ),
        command="python3 client.py",
        prompts=(
            ("client 1 or 2", "{clientid}"),
            ("server: ", "{server_host}:{server_port}"),
            ("client 2: ", "{peer_host}:{listen_port}"),
            ("number", "{studentnr1}"),
            ("teammate", "{studentnr2}"),
            ("class", "{classname}"),
            ("team\\?", "{teamname}"),
        ),
    ),
    "reads-to-the-end": Manner(
        "Reads everything until the other side closes.",
        (
            (_READ_OBJECT, "        continue\n        try:\n"),
            (
                "        if not piece:\n",
                "        if not piece and data:\n            return data[data.find(b'{') :]\n        if not piece:\n",
            ),
        ),
        fails=frozenset({"garbage-connection"}),
    ),
    "greets-first": Manner(
        "Client 2 greets, and client 1 waits for that.",
        (
            (_HANDOVER, f"        print(connection.recv(100))\n{_HANDOVER}"),
            (_ACCEPTED, f'{_ACCEPTED}                connection.sendall(b"hello")\n'),
        ),
    ),
    "spins": Manner("Computes for ever.", _before("    while True:\n        pass\n"), fails=NOTHING_WORKS),
    "floods-its-output": Manner(
        "Writes for ever.",
        _before('    while True:\n        print("x" * 1000)\n'),
        fails=NOTHING_WORKS,
        stopped="output",
    ),
    "forks": Manner(
        "Starts itself again and again.",
        _before("    import os\n\n    while True:\n        os.fork()\n"),
        fails=NOTHING_WORKS,
    ),
    "takes-memory": Manner(
        "Takes all the memory that it gets.",
        _before("    blocks = []\n    while True:\n        blocks.append(bytearray(10_000_000))\n"),
        fails=NOTHING_WORKS,
    ),
    "fills-the-disk": Manner(
        "Writes files until there is no room, and goes on.",
        _before(
            "    for name in ('here', '/tmp/there'):\n"
            "        try:\n"
            "            with open(name, 'wb') as file:\n"
            "                while True:\n"
            "                    file.write(b'x' * 1_000_000)\n"
            "        except OSError as error:\n"
            "            print(error)\n"
        ),
    ),
    "tries-the-internet": Manner(
        "Connects to somewhere else first.",
        _before(
            "    for place in (('198.51.100.77', 80), ('example.org', 80)):\n"
            "        try:\n"
            "            socket.create_connection(place, 1).close()\n"
            "            sys.exit('there is a way out')\n"
            "        except OSError as error:\n"
            "            print(error)\n"
        ),
    ),
    "kills-its-parent": Manner(
        "Kills its parent and every process that it may kill.",
        _before(
            "    import os\n\n"
            "    for process in (os.getppid(), -1):\n"
            "        try:\n"
            "            os.kill(process, 9)\n"
            "        except OSError as error:\n"
            "            print(error)\n"
        ),
    ),
    "looks-for-the-record": Manner(
        "Looks for the record, to overwrite it.",
        _before(
            "    import os\n\n"
            "    for folder, _, files in os.walk('/'):\n"
            "        for name in {'events.jsonl', 'capture.pcapng', 'order.json', 'results.json'} & set(files):\n"
            "            with open(os.path.join(folder, name), 'w') as file:\n"
            "                file.write('finished')\n"
            "            print('overwritten: ' + name)\n"
        ),
    ),
    "sleeps": Manner(
        "Sleeps past every limit.", _before("    while True:\n        pause()\n"), fails=NOTHING_WORKS, stopped="time"
    ),
}
