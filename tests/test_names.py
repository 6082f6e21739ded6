"""The names of files and classes: each is used once in tandem/, and a small file has more than one user."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from testing.processes import ROOT

MIN_LINES = 30  # a shorter file joins the file that uses it, unless several use it
FIXED_NAMES = frozenset({"__init__.py", "__main__.py"})  # names that Python prescribes
COMMANDS = "commands"  # a file there is named by its command, and may be short


def python_files() -> list[Path]:
    """The files that the rules are about."""
    return [file for file in sorted((ROOT / "tandem").rglob("*.py")) if COMMANDS not in file.parts]


def duplicates(named: Iterable[tuple[str, Path]]) -> dict[str, list[Path]]:
    """The names that are used more than once, and where."""
    found = defaultdict[str, list[Path]](list)
    for name, file in named:
        found[name].append(file)
    return {name: files for name, files in found.items() if len(files) > 1}


def class_names(file: Path) -> Iterator[str]:
    return (node.name for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.ClassDef))


def imported_modules(file: Path) -> set[str]:
    """The modules that a file imports. `from a import b` may import the module a.b."""
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def test_no_two_files_have_one_name() -> None:
    assert duplicates((file.name, file) for file in python_files() if file.name not in FIXED_NAMES) == {}


def test_no_two_classes_have_one_name() -> None:
    assert duplicates((name, file) for file in python_files() for name in class_names(file)) == {}


def test_a_small_file_is_used_by_several() -> None:
    imports = [imported_modules(file) for file in sorted((ROOT / "tandem").rglob("*.py"))]
    small = [
        file
        for file in python_files()
        if file.name not in FIXED_NAMES and len(file.read_text(encoding="utf-8").splitlines()) < MIN_LINES
    ]
    users = {file: sum(module_of(file) in modules for modules in imports) for file in small}
    assert [file for file, count in users.items() if count < 2] == []
