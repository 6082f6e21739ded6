"""Finds the tests that need more than Python and the packages of requirements-base.txt.

Found from imports, so that no test has to be marked by hand, and none can be forgotten. A test needs an extra if its
module imports a library at its top, itself or through another module of ours, or if it uses a fixture that does. Only a
test that reaches a library through a process that it starts is marked by hand.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from testing.processes import ROOT

OURS = frozenset({"bench", "fuzz", "tandem", "testing", "tests"})
BASE = frozenset({"_pytest", "hypothesis", "pytest"}) | sys.stdlib_module_names
FIXTURES = frozenset({"postgres_server", "own_server", "browser"})  # what makes a test need an extra


@cache
def extras(file: Path) -> frozenset[str]:
    """Return the libraries that importing a file of ours imports."""
    seen: set[Path] = set()
    found: set[str] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in _imports(current):
            if name.partition(".")[0] in OURS:
                waiting += _files(name)
            elif name.partition(".")[0] not in BASE:
                found.add(name.partition(".")[0])
    return frozenset(found)


@cache
def _imports(file: Path) -> tuple[str, ...]:
    """Return what the file imports when it is imported. Imports inside of functions do not count."""
    return tuple(_names(ast.parse(file.read_bytes())))


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _names(child)


@cache
def _files(name: str) -> tuple[Path, ...]:
    """Return the files that run when a module of ours is imported: it and its packages. Its last part may be a name."""
    path = ROOT.joinpath(*name.split("."))
    own = tuple(file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file())
    package = name.rpartition(".")[0]
    return _files(package) + own if package else own


def conftests(file: Path) -> Iterator[Path]:
    """Yield the conftest.py of each folder that a test's file is in."""
    for folder in file.parents:
        if (folder / "conftest.py").is_file():
            yield folder / "conftest.py"
        if folder == ROOT / "tests":
            return


@cache
def needed(file: Path) -> frozenset[str]:
    """Return the libraries without which a test's file cannot be collected."""
    return frozenset[str]().union(*map(extras, (file, *conftests(file))))
