"""The commands of docs/board.md start a board, as they stand but for folders, files and ports."""

import re
import shlex
from pathlib import Path

import pytest

from testing.boards import CERTIFICATE, KEY
from testing.processes import ROOT, process, tandem

PAGE = (ROOT / "docs/board.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("tandem board")
]
STARTED = [words for words in COMMANDS if "token" not in words and "--database" not in words]


def here(words: list[str], folder: Path) -> list[str]:
    places = {"tandem-data": str(folder), "cert.pem": str(CERTIFICATE), "key.pem": str(KEY)}
    return [places.get(word, re.sub(r"^([\w.]*):\d+$", r"\1:0", word)) for word in words]


def test_the_page_has_every_way_to_start_it() -> None:
    options = {word for words in STARTED for word in words if word.startswith("--")}
    assert options == {"--data", "--listen", "--behind", "--certfile", "--keyfile", "--insecure-login"}


@pytest.mark.parametrize("words", STARTED, ids=" ".join)
def test_they_start_a_board(tmp_path: Path, words: list[str]) -> None:
    given = here(words, tmp_path)
    if "--listen" not in given:
        given += ["--listen", "127.0.0.1:0"]
    with process("-m", "tandem", *given) as started:
        started.wait_for("listening on http")


def test_the_token_is_made_anew(tmp_path: Path) -> None:
    [words] = [words for words in COMMANDS if "token" in words]
    code, out, err = tandem(*here(words, tmp_path))
    assert (code, err) == (0, "")
    assert "shown this once" in out


def test_what_the_help_says_stands_on_the_page() -> None:
    code, out, _ = tandem("board", "--help")
    assert code == 0
    for option in ("--behind", "--certfile", "--keyfile", "--insecure-login"):
        assert option in out
        assert option in PAGE
