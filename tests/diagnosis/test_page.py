"""docs/mistakes.md is made of tandem/explain/ and of the catalogue."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.diagnosis.problem import CATALOGUE
from testing.messages.page import BEGIN, PAGE, page

TEXT = PAGE.read_text(encoding="utf-8")
FIRST_PART = TEXT.partition(BEGIN)[0]
PROTOCOL = (PAGE.parents[1] / "PROTOCOL.md").read_text(encoding="utf-8")


def test_both_parts_are_made_of_the_data() -> None:
    assert page(TEXT) == TEXT, "run python3 -m testing.messages.page"


def test_every_kind_is_on_the_page() -> None:
    for kind in CATALOGUE.values():
        assert f"\n#### {kind.title}\n" in TEXT
        assert f"\n`{kind.id}`" in TEXT


def test_every_clause_is_one_of_the_protocols() -> None:
    clauses = set(re.findall(r"^(\d\.\d+) ", PROTOCOL, re.MULTILINE))
    assert {kind.clause for kind in CATALOGUE.values()} <= clauses


def test_the_numbered_ones_stand_in_front_and_each_says_what_why_and_do() -> None:
    sections = re.split(r"^### ", FIRST_PART, flags=re.MULTILINE)[1:]
    assert [section.partition(".")[0] for section in sections] == [str(number) for number in range(1, 27)]
    for section in sections:
        assert section.count("**You see**") == section.count("**Why:**") == section.count("**Do:**") == 1


def test_links_on_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]*)\)", TEXT))
    assert len(links) >= 15
    assert links <= anchors


def test_ids_in_the_first_part_are_ids() -> None:
    shown = re.findall(r"(?:problems?|remarks?) ((?:`[a-z0-9-]+`(?:,\s| or |,? and )?)+)", FIRST_PART)
    named = {id for ids in shown for id in re.findall(r"`([a-z0-9-]+)`", ids)}
    assert len(named) > 10
    assert named <= set(CATALOGUE)


def test_the_numbers_of_errors_stand_for_all_three_systems() -> None:
    for numbers in ("111 / 61 / 10061", "110 / 60 / 10060", "98 / 48 / 10048", "104 / 54 / 10054"):
        assert numbers in FIRST_PART
    for numbers in ("106 / 56 / 10056", "11 / 35 / 10035", "24 / 24 / 10024", "95 / 102 / 10045"):
        assert numbers in FIRST_PART


# What a student writes by mistake
MISTAKES = [
    'socket.socket().connect("127.0.0.1:5550")',
    'socket.socket().bind("127.0.0.1:5550")',
    'socket.socket().connect("127.0.0.1", 5550)',
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).listen()",
    "(connection, address).recv(1000)",
    "connection.connect(listener.getsockname())",
    "connection.setblocking(False) or connection.recv(1000)",
    "json.loads({})",
    "'text'.decode()",
    "eval('{\"secret\": null}')",
    """json.loads(str(b'{"teamname": "It\\'s \\"us\\""}')[2:-1])""",
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_text_of_an_error_is_on_the_page_as_python_writes_it(mistake: str) -> None:
    opened: list[socket.socket] = []

    def made(*arguments: int) -> socket.socket:
        opened.append(socket.socket(*arguments))
        return opened[-1]

    names = {"json": json, "address": ("127.0.0.1", 5550)}
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        module = SimpleNamespace(socket=made, AF_INET=socket.AF_INET, SOCK_DGRAM=socket.SOCK_DGRAM)
        with pytest.raises(Exception) as raised:  # noqa: PT011
            eval(mistake, names | {"socket": module, "listener": listener, "connection": client})
    for one in opened:
        one.close()
    words = re.sub(r"bind\(\)", "connect()", re.sub(r": line 1 column.*", "", str(raised.value)))
    assert words in FIRST_PART.replace("\n", " ")


OWN_FILES = {
    "socket.py": "import socket\nsocket.socket()\n",
    "json.py": "import json\njson.dumps({})\n",
}


@pytest.mark.parametrize("name", OWN_FILES)
def test_an_own_file_called_like_a_module_gives_the_words_on_the_page(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(OWN_FILES[name], encoding="utf-8")
    done = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1].partition(": ")[2].partition(" (")[0]
    assert last in FIRST_PART.replace("\n", " ")
