"""Run the tests that need no extra on each other Python of this machine: `make pythons`, the last part of `make test`.

One Python of each minor version from OLDEST on, except that of the Python which runs this: from pyenv's versions, else
from PATH. Each gets a virtual environment in .venv-pythons with requirements-base.txt, which the next run uses again.
Says which versions were run and which were not found. Exit code 1 if a test fails, or the packages cannot be installed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from testing.processes import ROOT

OLDEST = (3, 11)  # as requires-python in pyproject.toml
NEWEST = (3, 14)  # the newest whose absence is told; newer ones are run, too
REQUIREMENTS = ROOT / "requirements-base.txt"
ENVIRONMENTS = ROOT / ".venv-pythons"
WORKERS = 4
# Tests that do not depend on the Python version. They would double the time of each run.
LEFT_OUT = (
    # The system, and our own tools.
    "tests/bench",
    "tests/docs",
    "tests/faults",
    "tests/fuzz",
    "tests/hosts",
    "tests/profiles",
    "tests/test_help.py",
    "tests/test_imports.py",
    "tests/robustness",
    "tests/backup/test_restore.py::test_a_restore_that_is_killed_at_any_step_leaves_the_old_or_the_new",
    "tests/commands/test_faults.py::test_a_limit_of_memory_is_one_line_and_loses_nothing",
    "tests/demo/test_demo.py::test_ended_in_the_middle",
    "tests/server/test_starting_together.py",
    # The other side of a connection; test_handover.py and test_wire.py run.
    "tests/client/test_client2_listener.py",
    "tests/client/test_hostile_server.py",
    # Bounds and cuts, for every row of a large table. One test of each table runs.
    "tests/diagnosis/test_catalogue.py::test_a_sentence_is_bounded_whatever_the_facts",
    "tests/diagnosis/test_catalogue.py::test_no_fact_brings_them_into_a_sentence",
    "tests/diagnosis/test_corpus.py::test_a_case_is_the_same_in_a_file_and_its_places_are_inside_of_it",
    "tests/diagnosis/test_corpus.py::test_all_corrections_together_make_the_message_right",
    "tests/diagnosis/test_corpus.py::test_behind_a_balancers_header_everything_is_told_as_without_it",
    "tests/diagnosis/test_corpus.py::test_the_whole_message_is_offered_where_nothing_has_to_be_invented",
    "tests/diagnosis/test_corpus.py::test_what_was_probably_meant_has_no_problem_any_more",
    "tests/diagnosis/test_cost.py",
    "tests/diagnosis/test_foreign.py",
    "tests/diagnosis/test_properties.py",
    "tests/diagnosis/test_real_troubles.py",
    "tests/server/test_cuts.py",
    "tests/protocol/test_answer_reader.py::test_told_apart_however_they_are_cut",
)
VERSION = "import sys; print(*sys.version_info[:3])"

Version = tuple[int, int, int]


def candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield every program that may be a Python: pyenv's, then those on PATH."""
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python"))
    for folder in environment.get("PATH", "").split(os.pathsep):
        if folder:
            found = Path(folder).glob("python3.*")
            yield from sorted(program for program in found if re.fullmatch(r"python3\.\d+", program.name))


def version_of(program: Path) -> Version | None:
    """Return its version. None: it is no Python that runs, such as pyenv's shim for a version that is not active."""
    try:
        done = subprocess.run([program, "-c", VERSION], capture_output=True, text=True, timeout=20, check=True)
        major, minor, micro = map(int, done.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor, micro


def others(programs: Iterable[Path], ours: tuple[int, ...]) -> dict[Version, Path]:
    """Return the newest Python of each minor version from OLDEST on, oldest first, without our own minor version."""
    newest: dict[tuple[int, int], tuple[Version, Path]] = {}
    for program in programs:
        version = version_of(program)
        if version and version[:2] >= OLDEST and version[:2] != ours[:2]:
            before = newest.get(version[:2])
            if before is None or version > before[0]:
                newest[version[:2]] = version, program
    return dict(newest[minor] for minor in sorted(newest))


def missing(versions: Iterable[Version], ours: tuple[int, ...]) -> list[str]:
    """Return the minor versions up to NEWEST that are not on this machine."""
    there = {ours[:2], *(version[:2] for version in versions)}
    return [_dotted((3, minor)) for minor in range(OLDEST[1], NEWEST[1] + 1) if (3, minor) not in there]


def environment_of(version: Version, program: Path) -> Path | None:
    """Return the Python of a virtual environment with the base requirements. None: this Python can make none.

    Raises:
        subprocess.CalledProcessError: The packages cannot be installed.
    """
    folder = ENVIRONMENTS / _dotted(version)
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and version_of(python) == version:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    if subprocess.run([program, "-m", "venv", folder], capture_output=True, check=False).returncode:
        return None  # Debian's python3 without python3-venv
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", REQUIREMENTS)
    subprocess.run([python, *install], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def test(python: Path) -> bool:
    """Run the tests. Return whether they passed."""
    options = ["-n", str(WORKERS), "--dist", "worksteal", "-m", "not needs_extra", "--hypothesis-profile", "few"]
    left_out = [f"{'--deselect' if '::' in path else '--ignore'}={path}" for path in LEFT_OUT]
    return subprocess.run([python, "-m", "pytest", *options, *left_out], cwd=ROOT, check=False).returncode == 0


def main() -> int:
    """Run the tests on each Python, and print which were run. Return the exit code."""
    ours = sys.version_info[:3]
    found = others(candidates(os.environ), ours)
    told = [f"{_dotted(ours)}: all tests, by `make tests`"]
    passed = True
    for version, program in found.items():
        print(f"tests that need no extra, with Python {_dotted(version)} ({program})", flush=True)
        began = time.monotonic()
        try:
            python = environment_of(version, program)
        except subprocess.CalledProcessError:
            told.append(f"{_dotted(version)}: FAILED, {REQUIREMENTS.name} cannot be installed")
            passed = False
            continue
        if python is None:
            told.append(f"{_dotted(version)}: not run, {program} makes no virtual environment; try to install its venv")
            continue
        outcome = "passed" if test(python) else "FAILED"
        passed = passed and outcome == "passed"
        told.append(f"{_dotted(version)}: {outcome}, the tests that need no extra, {time.monotonic() - began:.0f} s")
    told += [f"{version}: not found on this machine" for version in missing(found, ours)]
    print("", *(f"Python {line}" for line in told), sep="\n")
    return 0 if passed else 1


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
