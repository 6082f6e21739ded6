"""Who may import whom: held over every file. And the client's closure, copied out and run alone."""

import ast
import graphlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.other_side import Wait, scripted_server
from testing.processes import LIMIT, ROOT, running_server, team_options, wait_until

ANY = frozenset(sys.stdlib_module_names)
DRIVER = "psycopg"  # and only in the files that are about PostgreSQL, which are imported only with --database
BOARD_LIBRARIES = frozenset(
    {"anyio", "jinja2", "markupsafe", "prometheus_client", "starlette", "uvicorn", "xlsxwriter"}
)

ALL_OF_OURS = frozenset(
    {
        "protocol",
        "net",
        "diagnosis",
        "records",
        "keys",
        "backup",
        "server",
        "report",
        "board",
        "bench",
        "demo",
        "examiner",
        "doctor",
        "watch",
        "explain",
        "commands",
    }
)

# package -> (what it may import of the standard library and of extras, which of our packages it may import)
RULES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "protocol": (frozenset({"json", "socket"}), frozenset({"protocol"})),
    "client": (frozenset({"socket", "json", "sys"}), frozenset({"protocol", "client"})),
    "net": (ANY, frozenset({"protocol", "net"})),
    "diagnosis": (ANY, frozenset({"protocol", "net", "diagnosis"})),
    "records": (ANY | {DRIVER}, frozenset({"protocol", "diagnosis", "records"})),
    "keys": (ANY, frozenset({"protocol", "records", "keys"})),
    "backup": (ANY, frozenset({"protocol", "records", "keys", "backup", ""})),
    "server": (ANY, frozenset({"protocol", "net", "diagnosis", "records", "keys", "server", ""})),
    "report": (ANY, frozenset({"protocol", "diagnosis", "records", "report"})),
    "board": (
        ANY | BOARD_LIBRARIES,
        frozenset({"protocol", "net", "diagnosis", "records", "keys", "report", "board"}),
    ),
    "bench": (ANY, frozenset({"protocol", "net", "bench"})),
    "doctor": (ANY, frozenset({"protocol", "net", "diagnosis", "doctor"})),
    "watch": (ANY, frozenset({"protocol", "net", "diagnosis", "report", "watch"})),
    "explain": (ANY, frozenset({"protocol", "diagnosis", "explain"})),
    "demo": (ANY, frozenset({"protocol", "records", "report", "demo", ""})),
    "examiner": (ANY, frozenset({"protocol", "net", "diagnosis", "records", "keys", "report", "examiner", ""})),
    "commands": (ANY, ALL_OF_OURS),
    "cli": (ANY, frozenset({"protocol", "net", "records", "commands", "backup", "report", ""})),
    "__main__": (ANY, frozenset({"cli", "client", "net", "protocol"})),
    "": (frozenset({"sys"}), frozenset()),  # tandem/__init__.py
}


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(file): file for file in sorted((ROOT / "tandem").rglob("*.py"))}


def part(module: str) -> str:
    """Return the package of a module: client for tandem.client.wire."""
    return f"{module}.".split(".")[1]


def imports(file: Path) -> Iterator[str]:
    """Every module that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports have full names"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_what_its_part_may(module: str) -> None:
    library, parts = RULES[part(module)]
    for imported in imports(MODULES[module]):
        if imported.partition(".")[0] != "tandem":
            assert imported.partition(".")[0] in library
        else:
            assert part(imported) in parts, imported


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("tandem.records.postgres")])
def test_the_driver_is_asked_for_only_when_it_is_needed(module: str) -> None:
    assert not any(imported.partition(".")[0] == DRIVER for imported in imports(MODULES[module]))
    at_once = [node for node in ast.parse(MODULES[module].read_bytes()).body if isinstance(node, ast.ImportFrom)]
    assert not any(str(node.module).startswith("tandem.records.postgres") for node in at_once)


TESTS_AND_TOOLS = ("bench", "fuzz", "testing", "tests")


@pytest.mark.parametrize(
    ("folder", "forbidden"), [("tandem", TESTS_AND_TOOLS), *((folder, ("tests",)) for folder in TESTS_AND_TOOLS)]
)
def test_nothing_imports_from_tests(folder: str, forbidden: tuple[str, ...]) -> None:
    """What tests share is in testing/. The package imports that no more than the tests themselves."""
    found = [
        f"{file.relative_to(ROOT)} imports {imported}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for imported in imports(file)
        if imported.partition(".")[0] in (*forbidden, "conftest")
    ]
    assert found == []


def test_the_rules_speak_of_what_there_is() -> None:
    assert set(RULES) == {part(module) for module in MODULES}


def test_no_circles() -> None:
    graph = {module: set(imports(file)) & set(MODULES) for module, file in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.fixture(params=("with tandem/__init__.py", "without"))
def copied_out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the client and the protocol, and nothing else of the project."""
    for name in ("client", "protocol"):
        ours_only = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "tandem" / name, tmp_path / "alone" / "tandem" / name, ignore=ours_only)
    if request.param != "without":
        shutil.copy(ROOT / "tandem" / "__init__.py", tmp_path / "alone" / "tandem")
    return tmp_path / "alone"


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The client from that folder, by a Python that has nothing installed."""
    command = [sys.executable, "-S", "-m", "tandem.client", *arguments]
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=True
    )


def test_the_copied_client_helps(copied_out: Path) -> None:
    assert run_alone(copied_out, "--help").stdout.startswith("usage: tandem client 1")


def test_the_copied_client_visits_a_server(copied_out: Path, tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as running, scripted_server(Wait.END) as peer:
        addresses = ("--server", running.address, "--peer", peer.address)
        done = run_alone(copied_out, "1", *team_options(), *addresses)
        assert done.stderr == ""
        wait_until(lambda: [row["state"] for row in running.results()] == ["waiting for message 2"])
    assert b'"waiting for message 2"' in peer.came
