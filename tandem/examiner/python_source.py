"""Reads the source of a submission as syntax trees. Nothing of it is imported or run."""

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_SOURCE_BYTES = 1_000_000
MAX_FILES = 500  # of a submission; more are not looked at
OPTIONS_WITH_VALUE = ("-W", "-X")  # of the python command
IMPORTING_CALLS = ("__import__", "import_module", "importlib.import_module")


@dataclass(frozen=True)
class SourceFile:
    """One file of a submission."""

    name: str  # as seen from the folder of the submission
    path: Path
    tree: ast.Module  # empty if the file cannot be read as Python
    error: str = ""  # where and why it cannot be read: "client.py:3: invalid syntax"


@dataclass(frozen=True)
class Import:
    """One import, as it is written. `from . import a` has the module "" and one dot."""

    module: str
    line: int
    names: tuple[str, ...] = ()  # of `from module import names`
    dots: int = 0


def read_source(path: Path, root: Path) -> SourceFile:
    """Read one file. A file that cannot be read as Python gives an empty tree and an error."""
    name = path.relative_to(root).as_posix()
    empty = ast.Module([], [])
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SOURCE_BYTES + 1)
        if len(content) > MAX_SOURCE_BYTES:
            return SourceFile(name, path, empty, f"{name}: it has more than {MAX_SOURCE_BYTES:,} bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\d"
            return SourceFile(name, path, ast.parse(content))
    except SyntaxError as error:
        return SourceFile(name, path, empty, f"{name}:{error.lineno or 1}: it is not Python 3: {error.msg}")
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return SourceFile(name, path, empty, f"{name}: it cannot be read as Python: {error}")


def program_of(words: tuple[str, ...], root: Path) -> Path | None:
    """Return the Python file that a command line starts, or None if it is not a file of the submission."""
    rest = list(words)
    if Path(rest[0]).name.startswith("python"):
        rest.pop(0)
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
            del rest[: 2 if rest[0] in OPTIONS_WITH_VALUE else 1]
    if not rest:
        return None
    if rest[0] == "-m" and len(rest) > 1:
        module = root.joinpath(*rest[1].split("."))
        return _first_file(root, module.with_suffix(".py"), module / "__main__.py")
    return _first_file(root, root / rest[0]) if rest[0].endswith(".py") else None


def source_files(program: Path, root: Path) -> list[SourceFile]:
    """Return the program and the files of the submission that it imports, directly or through others."""
    found = {program: read_source(program, root)}
    waiting = [program]
    while waiting and len(found) < MAX_FILES:
        path = waiting.pop()
        for each in imports(found[path].tree):
            for file in [*own_files(each, path, program.parent, root), *own_files(each, path, root, root)]:
                if file not in found:
                    found[file] = read_source(file, root)
                    waiting.append(file)
    return list(found.values())


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield every import, wherever it is. `__import__("name")` and `import_module("name")` are imports, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.module or "", node.lineno, names, node.level)
        elif isinstance(node, ast.Call) and called_name(node) in IMPORTING_CALLS:
            yield from (Import(module, node.lineno) for module in _texts(node.args[:1]))


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def own_files(each: Import, importer: Path, start: Path, root: Path) -> list[Path]:
    """Return the files of the submission that an import means. None: it means a module from elsewhere."""
    if each.dots:
        base = importer.parent
        for _ in range(each.dots - 1):
            base = base.parent
    else:
        base = start
    parts = [part for part in each.module.split(".") if part]
    names = [parts[:length] for length in range(1, len(parts) + 1)] + [[*parts, name] for name in each.names]
    modules = [base.joinpath(*name) for name in names]
    found = (_first_file(root, module.with_suffix(".py"), module / "__init__.py") for module in modules)
    return [file for file in found if file]


def called_name(call: ast.Call) -> str:
    """Return the name of the function that is called: "input", "os.system", or "" if it has none."""
    parts: list[str] = []
    node = call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _first_file(root: Path, *paths: Path) -> Path | None:
    """Return the first path that is a file inside of a folder."""
    try:
        return next((path for path in paths if path.is_file() and path.resolve().is_relative_to(root.resolve())), None)
    except (OSError, ValueError):  # a name that no file can have
        return None
