"""Which tests need an extra is found from imports; and the other Pythons are found on this machine."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from testing import pythons
from testing.extras import extras, needed
from testing.processes import ROOT

TESTS = ROOT / "tests"
PINNED = re.compile(r"^([\w.-]+)(?:\[\w+\])?==", re.MULTILINE)

# Runs pytest where every package that only requirements-test.txt installs cannot be imported.
BLOCKED = """
import sys
from importlib.metadata import packages_distributions

for module, distributions in packages_distributions().items():
    if set(sys.argv[1].split()) & {name.lower().replace("_", "-") for name in distributions}:
        sys.modules[module] = None
import pytest

sys.exit(pytest.main(["--collect-only", "-q", "-m", "not needs_extra", "-p", "no:cacheprovider"]))
"""


@pytest.mark.parametrize(
    ("file", "libraries"),
    [
        ("protocol/test_reader.py", set()),
        ("records/test_store.py", set()),
        ("records/test_store_postgres.py", {"psycopg"}),
        ("deploy/test_cluster.py", {"psycopg"}),  # through deploy/cluster.py
        ("board/test_board_store.py", {"playwright"}),  # through conftest.py
    ],
)
def test_what_a_test_imports(file: str, libraries: set[str]) -> None:
    assert needed(TESTS / file) >= libraries
    assert bool(needed(TESTS / file)) == bool(libraries)


def test_an_import_inside_of_a_function_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "test_some.py"
    file.write_text("import json\ndef test() -> None:\n    import psycopg\nif json:\n    import yaml.reader\n")
    assert extras(file) == {"yaml"}


@pytest.mark.needs_extra
def test_a_base_test_imports_nothing_else() -> None:
    every, base = (set(PINNED.findall((ROOT / f"requirements-{of}.txt").read_text("utf-8"))) for of in ("test", "base"))
    every -= base | {"anyio", "coverage", "platformdirs", "pytest-cov"}  # plugins of pytest
    assert len(every) > 10
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, " ".join(every)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "tests/records/test_store.py" in done.stdout
    assert "tests/board" not in done.stdout


def a_python(folder: Path, name: str, version: str, code: int = 0) -> Path:
    """A program that tells a version as Python does."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{version}'\nexit {code}\n")
    program.chmod(0o755)
    return program


def test_one_python_of_each_other_minor_version_is_found(tmp_path: Path) -> None:
    versions, path = tmp_path / "pyenv" / "versions", tmp_path / "bin"
    new = a_python(versions / "3.12.9" / "bin", "python", "3 12 9")
    a_python(versions / "3.12.1" / "bin", "python", "3 12 1")
    a_python(versions / "3.10.4" / "bin", "python", "3 10 4")
    a_python(versions / "3.11.7" / "bin", "python", "3 11 7")
    a_python(versions / "broken" / "bin", "python", "what?")
    a_python(path, "python3.12-config", "3 12 10")
    a_python(path, "python3.13", "pyenv: python3.13: command not found", 127)
    newest = a_python(path, "python3.15", "3 15 0")
    found = pythons.candidates({"PYENV_ROOT": str(tmp_path / "pyenv"), "PATH": f"{path}:{tmp_path / 'none'}"})
    assert pythons.others(found, (3, 11, 2)) == {(3, 12, 9): new, (3, 15, 0): newest}


def test_what_is_not_found_is_told() -> None:
    assert pythons.missing([(3, 13, 0), (3, 15, 0)], (3, 11, 7)) == ["3.12", "3.14"]


def test_without_another_python_it_says_so_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "others", lambda programs, ours: {})
    assert pythons.main() == 0
    out = capsys.readouterr().out
    ours = f"3.{sys.version_info[1]}"
    for minor in range(pythons.OLDEST[1], pythons.NEWEST[1] + 1):
        assert (f"Python 3.{minor}: not found on this machine" in out) == (f"3.{minor}" != ours)


@pytest.mark.parametrize("outcome", [True, False])
def test_it_passes_if_every_python_does(
    outcome: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "others", lambda programs, ours: {(3, 98, 1): tmp_path, (3, 99, 0): tmp_path})
    monkeypatch.setattr(pythons, "environment_of", lambda version, program: Path(_dotted(version)))
    monkeypatch.setattr(pythons, "test", lambda python: outcome or python.name != "3.98.1")
    assert pythons.main() == (0 if outcome else 1)
    out = capsys.readouterr().out
    assert f"Python 3.98.1: {'passed' if outcome else 'FAILED'}" in out
    assert "Python 3.99.0: passed" in out


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def test_a_python_without_venv_is_told_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "ENVIRONMENTS", tmp_path / "environments")
    bare = a_python(tmp_path, "python3.99", "no module venv", 1)
    monkeypatch.setattr(pythons, "others", lambda programs, ours: {(3, 99, 0): bare})
    assert pythons.main() == 0
    assert "Python 3.99.0: not run" in capsys.readouterr().out


def test_the_oldest_is_that_of_the_package_and_what_is_left_out_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={_dotted(pythons.OLDEST)}"
    for left_out in pythons.LEFT_OUT:
        path, _, name = left_out.partition("::")
        assert (ROOT / path).exists(), left_out
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), left_out
