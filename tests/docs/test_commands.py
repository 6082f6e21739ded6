"""Every command in README and CONTRIBUTING runs; what the pages point to exists; they speak of the project alone."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tandem.protocol.message import STATUS_WAITING
from testing.examiner.specimens import write_submission
from testing.processes import ROOT, process, running_server, tandem
from testing.raw_sockets import encoded, message_1, visit

PAGES = [path for folder in (".", "deploy", "docs", "fuzz") for path in ROOT.glob(f"{folder}/*.md")]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line, comments=True)[2:]
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python3 -m")
]


def commands(name: str) -> list[list[str]]:
    """README's commands of one name, without `python3 -m tandem`."""
    return [words[1:] for words in COMMANDS if words[:2] == ["tandem", name]]


def test_the_readme_has_every_command() -> None:
    assert {words[1] for words in COMMANDS} == {
        "bench",
        "demo",
        "client",
        "serve",
        "results",
        "check",
        "backup",
        "restore",
        "key",
        "forget",
        "examine",
    }


def test_the_two_client_commands_finish_with_the_readmes_team(tmp_path: Path) -> None:
    """As they stand, but for the addresses: documentation has addresses that no machine may have."""
    team = tmp_path / "TEAM.json"
    [block] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    team.write_text(block)
    [client_2, client_1] = commands("client")
    with running_server(tmp_path / "data") as running:

        def here(words: list[str], peer: str) -> list[str]:
            places = {"192.0.2.1:5550": running.address, "192.0.2.3:5551": peer, "5551": "127.0.0.1:0"}
            return [str(team) if word == "TEAM.json" else places.get(word, word) for word in words]

        with process("-m", "tandem", *here(client_2, "")) as second:
            peer = second.wait_for("listening on").split()[2]
            code, out, err = tandem(*here(client_1, peer))
            assert (code, err) == (0, "")
            assert "client 1 is done" in out
            assert second.wait() == 0
            assert "Finished successfully" in second.out
        for words in commands("results"):
            words = [str(running.data) if word == "tandem-data" else word for word in words]
            code, out, err = tandem(*words)
            assert (code, err) == (0, "")
            assert ("visits without a team" if "--visits-without-team" in words else "Team1") in out
    message = tmp_path / "message.json"
    message.write_text(block.replace('"ip": ""', '"ip": "192.168.1.2"'))
    for words in commands("check"):
        assert tandem(*(str(message) if word == "message.json" else word for word in words))[0] == 0


def serve_command(words: list[str]) -> ParameterSet:
    return pytest.param(words, id=" ".join(words), marks=[pytest.mark.needs_extra] if "--board" in words else [])


@pytest.mark.parametrize("words", [serve_command(words) for words in commands("serve")])
def test_the_serve_commands_start(tmp_path: Path, words: list[str]) -> None:
    listen = words[words.index("--listen") + 1].replace("5550", "0")
    board = ("--board", "127.0.0.1:0") if "--board" in words else ()
    with running_server(tmp_path / "data", *board, listen=listen) as running:
        assert visit("127.0.0.1", running.port, encoded(message_1()))["status"] == STATUS_WAITING
        if board:
            running.process.wait_for("tandem board: listening on")


def test_the_examine_commands_examine_a_submission(tmp_path: Path) -> None:
    write_submission(tmp_path / "submission")
    [page] = [page for page in PAGES if page.name == "examiner.md"]
    [block, *_] = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert [shlex.join(words) for words in commands("examine")] == [
        line.removeprefix("python3 -m tandem ").replace(">", "'>'") for line in block.splitlines()
    ]
    assert "assignment pass" in shell(block.rstrip() + " --scenario plain", tmp_path)


def test_the_bench_command_measures(tmp_path: Path) -> None:
    [words] = commands("bench")
    with running_server(tmp_path / "data") as running:
        code, out, err = tandem(*(running.address if word == "127.0.0.1:5550" else word for word in words))
        assert (code, err) == (0, "")
        assert "200 exchanges" in out


def test_the_commands_about_backups_lose_nothing(tmp_path: Path) -> None:
    """Those of docs/backup.md, in a folder in which a server has run; the data folder is lost in between."""
    page = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
    making, losing, replacing, saved = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    with running_server(tmp_path / "tandem-data") as running:
        visit(running.host, running.port, encoded(message_1()))
    (tmp_path / "safe-place").mkdir()
    shutil.copy(tmp_path / "tandem-data" / "key", tmp_path / "safe-place" / "key")
    assert "fingerprint" in shell(making, tmp_path)
    shutil.rmtree(tmp_path / "tandem-data")
    assert "is the key of the backup" in shell(losing, tmp_path)
    assert "tandem-data/before-restore-" in shell(replacing, tmp_path)
    with running_server(tmp_path / "tandem-data") as running:
        assert [row["teamname"] for row in running.results()] == ["Team1"]
        (tmp_path / "tandem-data" / "tandem.sqlite3").unlink()
        running.process.stop()
        assert running.process.wait() == 0
    [copy] = (tmp_path / "tandem-data").glob("tandem.sqlite3.saved-*")
    copy.rename(tmp_path / shlex.split(saved)[-1])
    assert "1 teams, 1 visits" in shell(saved, tmp_path)
    [backup] = commands("backup")
    [restore] = commands("restore")
    (tmp_path / "tandem-2026-01-31.zip").unlink()
    told = shell("\n".join(shlex.join(["python3", "-m", "tandem", *words]) for words in (backup, restore)), tmp_path)
    assert "restored into restored-data" in told


def shell(block: str, folder: Path) -> str:
    """Runs the commands of a block in a folder, with this Python; returns what they say. All of them must succeed."""
    script = block.replace("python3 ", f"{shlex.quote(sys.executable)} ")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-ec", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_the_make_targets_of_the_pages_exist() -> None:
    wanted = {target for page in PAGES for target in re.findall(r"^make (\w+)", page.read_text("utf-8"), re.MULTILINE)}
    assert len(wanted) > 3
    assert wanted <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """What a link can point to in a page: its headings, in the form that they have in a link."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_the_pages_point_to_exists() -> None:
    links = [
        (page, *link) for page in PAGES for link in re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", page.read_text("utf-8"))
    ]
    assert len(links) > 50
    for page, target, anchor in links:
        found = page.parent / target if target else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found), f"{page.name}: {target}#{anchor}"
    places = re.findall(r"`(tandem/[\w./]+)`", README)
    assert [place for place in places if not (ROOT / place).exists()] == []
    assert places


def test_no_file_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    words = ("pypi." + "org", "python" + "hosted", "/wo" + "rk/", "/ro" + "ot/")
    for name in filter(None, listed):
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        assert not [word for word in words if word in text], name


def test_the_changelog_has_versions_newest_first_with_their_dates_and_compatibility() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    unreleased, *released = re.findall(r"^## (.*)\n\n(\w)", text, re.MULTILINE)
    assert unreleased[0] == "Unreleased"
    found = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - (\d{4}-\d{2}-\d{2})", heading) for heading, _ in released]
    versions = [([int(part) for part in each.groups()[:3]], each[4]) for each in found if each]
    assert len(versions) == text.count("\n## ") - 1, "a version has no date, or no sentence before its changes"
    assert versions
    assert versions == sorted(versions, reverse=True)
