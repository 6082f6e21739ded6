"""The mutation campaign, run by hand: does a test fail when the code is changed?

    python3 -m venv .venv-mutants
    .venv-mutants/bin/pip install --require-hashes -r requirements-test.txt -r bench/requirements-mutants.txt
    .venv-mutants/bin/python bench/mutants.py --seed N

Draws places of the server, the records and the diagnosis at which Cosmic Ray can change the code, and one change for
each. Annotations and constants are left out. Each change is made in a copy of the project. There the tests run that
reach the changed line, the quickest first, until one fails. The tests of a line come from one run of all tests with
coverage, of the processes that they start, too.

Prints a line for each mutant: its number, what became of it, place, code before and after, and the tests that ran.
docs/mutants.md has the survivors that no test can or should kill. Exits with 1 if a mutant survives.
"""

import argparse
import ast
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from xml.etree import ElementTree

import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins
import coverage
import hypothesis  # noqa: F401, so that no mutant has to import it
import pytest
from cosmic_ray.operators.operator import Operator

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "records", "diagnosis")
TESTS = (*(f"tests/{package}" for package in PACKAGES), "tests/backup")  # which tests locks and schemas of records
NOT_COPIED = (".git", ".venv*", "__pycache__", ".hypothesis", ".*_cache", ".coverage*")
# Each process writes the name of the test that started it beside the lines that it runs.
COVERAGE = (
    "[run]\nbranch = true\nsource = tandem\npatch = subprocess\nparallel = true\ncontext = ${PYTEST_CURRENT_TEST-}\n"
)
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist")
PYTEST = (sys.executable, "-m", "pytest", *OPTIONS)
PRELOADED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # pytest warns of what was imported before it
FORK = multiprocessing.get_context("fork")
SLACK = 5  # times the recorded time of its tests that a mutant may take
UNCHANGED_S = 1800.0  # for all tests of the campaign
SHOWN = 4000  # characters of a failed run's output
START_S = 30.0  # for the start of pytest

Place = tuple[int, int]  # line, column; both as Cosmic Ray counts them: from 1, from 0


@dataclass(frozen=True)
class Mutant:
    """A change of one file at one place."""

    path: str  # below the project
    line: int
    operator: str
    occurrence: int

    def source(self, root: Path) -> str:
        """Return the whole file, changed."""
        code = (root / self.path).read_text()
        changed: str | None = cosmic_ray.mutating.mutate_code(code, _operator(self.operator), self.occurrence)
        assert changed is not None, self
        return changed

    def difference(self, root: Path) -> str:
        """Return the lines that differ, before and after."""
        before, after = (root / self.path).read_text().splitlines(), self.source(root).splitlines()
        pairs = [(old.strip(), new.strip()) for old, new in zip(before, after, strict=False) if old != new]
        return (
            " | ".join(f"`{old}` -> `{new}`" for old, new in pairs[:1]) or f"`{before[self.line - 1].strip()}` removed"
        )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for package, number in zip(PACKAGES, (120, 80, 100), strict=True):
        options.add_argument(
            f"--{package}", type=int, default=number, metavar="N", help="mutants (default: %(default)s)"
        )
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--only", type=int, nargs="*", default=[], metavar="NUMBER", help="of these mutants")
    options.add_argument("--tests", nargs="*", default=[], help="run these tests instead of those of the line")
    options.add_argument("--jobs", type=int, default=2, metavar="N", help="mutants at a time (default: %(default)s)")
    options.add_argument("--budget", type=float, default=600.0, metavar="SECONDS", help="of tests for one mutant")
    options.add_argument("--coverage", type=Path, help="folder with the data of an earlier run, or for this one")
    given = options.parse_args()
    sample = list(drawn(ROOT, {package: getattr(given, package) for package in PACKAGES}, given.seed))
    chosen = given.only or range(len(sample))
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="tandem-mutants-") as folder:
        reach = Reach(given.coverage or Path(folder), given.tests, given.budget)
        copies = FORK.SimpleQueue()
        for copy in copies_of_project(Path(folder), given.jobs):
            copies.put(copy)
        with ProcessPoolExecutor(given.jobs, FORK, _take_copy, (copies,)) as pool:
            mutants = [sample[number] for number in chosen]
            tests = [reach.tests_of(mutant) for mutant in mutants]
            pool.submit(check_unchanged, sorted({test for some, _ in tests for test in some})).result()
            jobs = pool.map(outcome_of, mutants, tests)
            for number, mutant, outcome in zip(chosen, mutants, jobs, strict=True):
                print(f"{number:3} {outcome}, {mutant.path}:{mutant.line} {mutant.difference(ROOT)}", flush=True)
                outcomes[mutant.path.split("/")[1]][outcome.split()[0]] += 1
    for package, counts in outcomes.items():
        print(f"{package}: {counts.total()} mutants, " + ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
    print(f"seed {given.seed}")
    return int(any(counts["survived"] for counts in outcomes.values()))


def drawn(root: Path, numbers: dict[str, int], seed: int) -> Iterator[Mutant]:
    """Yield the sample: some places of each package, and one change for each place."""
    for package in [package for package in numbers if numbers[package]]:
        chance = random.Random(f"{seed} {package}")
        places = [
            changes
            for path in sorted((root / "tandem" / package).rglob("*.py"))
            for changes in _changes_of(root, path).values()
        ]
        yield from map(chance.choice, chance.sample(places, min(numbers[package], len(places))))


def _changes_of(root: Path, path: Path) -> dict[tuple[Place, Place], list[Mutant]]:
    """Return all changes that Cosmic Ray can make in a file, by place."""
    nodes = list(cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(path.read_text())))
    left_out = list(_left_out(ast.parse(path.read_text())))
    lines = path.read_text().splitlines()
    changes: dict[tuple[Place, Place], list[Mutant]] = defaultdict(list)
    for name in sorted(cosmic_ray.plugins.operator_names()):
        if cosmic_ray.plugins.get_operator(name).arguments():
            continue  # it changes a variable that one has to name
        operator = _operator(name)
        found = (place for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(found):
            dotted = "." in lines[start[0] - 1][start[1] : end[1]] and name.endswith("/ExceptionReplacer")
            if not dotted and not any(first <= start < last for first, last in left_out):
                mutant = Mutant(str(path.relative_to(root)), start[0], name, occurrence)
                changes[start, end].append(mutant)
    return dict(sorted(changes.items()))


def _operator(name: str) -> Operator:
    return cosmic_ray.plugins.get_operator(name)()


def _left_out(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Yield where annotations and constants are."""
    for node in ast.walk(tree):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.col_offset == 0 and _is_constant(node.value):
            parts.append(node.value)
        for part in parts:
            if isinstance(part, ast.expr) and part.end_lineno and part.end_col_offset:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def _is_constant(value: ast.expr | None) -> bool:
    return value is not None and not any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(value))


def copies_of_project(folder: Path, number: int) -> Iterator[Path]:
    """Copy the project without its history and its caches; compile it, so that a mutant compiles one file."""
    first = folder / "0"
    shutil.copytree(ROOT, first, ignore=shutil.ignore_patterns(*NOT_COPIED))
    subprocess.run((*PYTEST, "--collect-only", "-q", *TESTS), cwd=first, check=True, stdout=subprocess.DEVNULL)
    for copy in range(1, number):
        shutil.copytree(first, folder / str(copy))  # keeps the times of files, by which Python knows what is compiled
    yield from (folder / str(copy) for copy in range(number))


class Reach:
    """The tests that reach a line, with the time that each takes, in seconds."""

    def __init__(self, folder: Path, tests: Sequence[str], budget_s: float) -> None:
        self._tests = tests
        self._budget_s = budget_s
        if tests:
            return
        if not (folder / "tests.xml").exists():
            _run_with_coverage(folder)
        self._durations_s = _durations_s(folder / "tests.xml")
        self._data = coverage.CoverageData(str(folder / ".coverage"))
        self._data.read()

    def tests_of(self, mutant: Mutant) -> tuple[list[str], float]:
        """Return the tests that reach the statement of a mutant, the quickest first, and their time in seconds.

        If no test does (it runs when its module is imported), these are the tests that reach the module.
        """
        if self._tests:
            return list(self._tests), 60.0
        contexts = self._data.contexts_by_lineno(str(ROOT / mutant.path))
        lines = _statement(ast.parse((ROOT / mutant.path).read_text()), mutant.line)
        found = self._named(context for line in lines for context in contexts.get(line, ()))
        found = found or self._named(context for some in contexts.values() for context in some)
        taken: list[str] = []
        total_s = 0.0
        for duration_s, test in sorted((self._durations_s[test], test) for test in found):
            total_s += duration_s
            if total_s > self._budget_s and taken:
                break
            taken.append(test)
        return taken, total_s

    def _named(self, contexts: Iterator[str]) -> set[str]:
        """Return the tests of some contexts: of a process that the tests of a module share, all of that module."""
        found = set()
        for context in contexts:
            test, _, phase = context.partition("|")
            if not phase:
                test = context.rpartition(" ")[0]
                module = test.partition("::")[0]
                found |= {other for other in self._durations_s if other.startswith(f"{module}::")}
            found.add(test)
        return found & self._durations_s.keys()


def _run_with_coverage(folder: Path) -> None:
    (folder / "coverage.ini").write_text(COVERAGE)
    measured = ("--cov", f"--cov-config={folder}/coverage.ini", "--cov-context=test", "--cov-report=")
    subprocess.run(
        (*PYTEST, *measured, f"--junitxml={folder}/tests.xml", "-o", "junit_family=xunit1", *TESTS),
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(folder / ".coverage")},
    )


def _durations_s(report: Path) -> dict[str, float]:
    """Return the time of each test that passed by its id, from pytest's report in XML."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        if len(case):
            continue  # it failed, or was skipped
        module, _, inside = case.attrib["classname"].partition(".Test")
        test = f"{module.replace('.', '/')}.py::{'Test' + inside + '::' if inside else ''}{case.attrib['name']}"
        found[test] = float(case.attrib["time"])
    return found


def _statement(tree: ast.Module, line: int) -> range:
    """Return the lines of the innermost statement at a line; of one with a body, those before the body."""
    best = range(line, line + 1)
    for node in ast.walk(tree):  # outer ones come before inner ones
        if isinstance(node, ast.stmt) and node.end_lineno and node.lineno <= line <= node.end_lineno:
            body = getattr(node, "body", None)
            best = range(node.lineno, body[0].lineno if isinstance(body, list) and body else node.end_lineno + 1)
    return best


def _take_copy(copies: SimpleQueue[Path]) -> None:
    """Move a process of the pool into a copy of its own. Its mutants are made there, one after another."""
    os.chdir(copies.get())
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def check_unchanged(tests: list[str]) -> None:
    """Run all tests of a campaign without a mutant: if one fails now, the campaign would say nothing.

    Raises:
        RuntimeError: one failed, or they could not be run.
    """
    if _run(tests, UNCHANGED_S) != "survived":
        raise RuntimeError("without a mutant:\n" + Path("output").read_text(errors="replace")[-SHOWN:])


def outcome_of(mutant: Mutant, chosen: tuple[list[str], float]) -> str:
    """Return what became of a mutant: `killed`, `timeout` or `survived`, and how many tests were chosen."""
    tests, total_s = chosen
    if not tests:
        return "unreached (0 tests)"
    path = Path(mutant.path)
    code, times = path.read_text(), path.stat()
    try:
        path.write_text(mutant.source(Path.cwd()))
        word = _run(tests, START_S + SLACK * total_s)
    finally:
        path.write_text(code)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # what is compiled is right again
    return f"{word} ({len(tests)} tests)"


def _run(tests: list[str], limit_s: float) -> str:
    """Run tests until one fails, in a process that has pytest already, and end every process of theirs."""
    process = FORK.Process(target=_pytest, args=(tests,))
    process.start()
    process.join(limit_s)
    word = {None: "timeout", 0: "survived"}.get(process.exitcode, "killed")
    try:
        os.killpg(process.pid or 0, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all have ended
    process.join()
    return word


def _pytest(tests: list[str]) -> None:
    os.setsid()
    with open("output", "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.path.insert(0, os.getcwd())
    sys.exit(pytest.main(["-x", *OPTIONS, *PRELOADED, *tests]))


if __name__ == "__main__":
    sys.exit(main())
