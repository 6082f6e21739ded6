"""Reads from the source of a program what a plan must say: its arguments, its questions, the addresses built in.

It guesses: a person corrects the plan that is made from it.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tandem.examiner.python_source import SourceFile, called_name
from tandem.examiner.source_rules import address_texts, is_host_address

CONNECTING = ("connect", "connect_ex", "create_connection")
MAX_FOUND = 50  # of each kind
PASSES = 3


@dataclass
class SourceFacts:
    """The facts that were found."""

    arguments: list[str] = field(default_factory=list)  # names of the arguments by position, and of options: "--server"
    questions: list[str] = field(default_factory=list)  # texts of input()
    connects: list[tuple[str, int]] = field(default_factory=list)  # where it connects; port 0: not known
    binds: list[int] = field(default_factory=list)  # ports
    hosts: list[str] = field(default_factory=list)  # every address in the source
    listens: bool = False


def source_facts(files: Iterable[SourceFile]) -> SourceFacts:
    """Return what some files tell."""
    found = SourceFacts()
    trees = [file.tree for file in files]
    constants = _constants(trees)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                _read_call(node, constants, found)
        found.arguments += [name for name in _arguments(tree) if name not in found.arguments]
        found.hosts += [text for text, _ in address_texts(tree) if text not in found.hosts]
    return found


def _constants(trees: Iterable[ast.Module]) -> dict[str, ast.expr]:
    """Return the expression of each name that is assigned once, also of attributes: `self.port = 5551`."""
    found: dict[str, ast.expr] = {}
    twice = set[str]()
    for tree in trees:
        for node in ast.walk(tree):
            for target, value in _pairs(node):
                name = _name(target)
                if name in found:
                    twice.add(name)
                found[name] = value
    return {name: value for name, value in found.items() if name and name not in twice}


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield target and value of an assignment; of `a, b = 1, 2` two pairs."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        if (
            isinstance(target, ast.Tuple)
            and isinstance(node.value, ast.Tuple)
            and len(target.elts) == len(node.value.elts)
        ):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _resolved(node: ast.expr, constants: dict[str, ast.expr], depth: int = 5) -> ast.expr:
    """Return the expression that a name stands for."""
    name = _name(node)
    return _resolved(constants[name], constants, depth - 1) if depth and name in constants else node


def _read_call(node: ast.Call, constants: dict[str, ast.expr], found: SourceFacts) -> None:
    name = called_name(node).rpartition(".")[2] or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    if name in CONNECTING and (address := _address(node, constants)) and len(found.connects) < MAX_FOUND:
        if address not in found.connects:
            found.connects.append(address)
    elif name == "bind" and (address := _address(node, constants)) and address[1]:
        found.binds.append(address[1])
    elif name in ("listen", "accept"):
        found.listens = True
    elif name == "input" and node.args and len(found.questions) < MAX_FOUND:
        question = _text(node.args[0], constants).strip()
        if question and question not in found.questions:
            found.questions.append(question)


def _address(node: ast.Call, constants: dict[str, ast.expr]) -> tuple[str, int] | None:
    """Return host and port of connect((host, port)); "" and 0 for those that are not constants."""
    pair = _resolved(node.args[0], constants) if node.args else None
    if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
        return None
    host, port = (_resolved(part, constants) for part in pair.elts)
    is_host = isinstance(host, ast.Constant) and isinstance(host.value, str) and is_host_address(host.value)
    return (str(host.value) if is_host else ""), _integer(port)  # type: ignore[attr-defined]


def _integer(node: ast.expr) -> int:
    """Return a number from 1 to 65535, also of int("5550"), or 0."""
    if isinstance(node, ast.Call) and called_name(node) == "int" and node.args:
        node = node.args[0]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int | str):
        return 0
    text = str(node.value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535 else 0


def _text(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """Return a constant text, or the longest constant piece of an f-string or a sum."""
    node = _resolved(node, constants)
    pieces = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return max(pieces, key=len, default="")


def _arguments(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the arguments: those of sys.argv by their position, then those of argparse."""
    positions = _ArgumentPositions()
    positions.read(tree)
    for number in range(1, max(positions.names, default=0) + 1):
        yield positions.names.get(number, f"argument {number}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node).endswith("add_argument"):
            names = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if names and not _has_default(node):
                yield max(names, key=len)


def _has_default(node: ast.Call) -> bool:
    """Return whether an argument of argparse may be left out. An option without a default may be needed."""
    names = {keyword.arg for keyword in node.keywords}
    actions = [keyword.value for keyword in node.keywords if keyword.arg == "action"]
    return "default" in names or any(isinstance(value, ast.Constant) and value.value != "store" for value in actions)


class _ArgumentPositions:
    """Finds the name that each position of sys.argv is given."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._lists = {"sys.argv": 0, "argv": 0}  # a list of arguments -> the position of its first

    def read(self, tree: ast.Module) -> None:
        """Read all of a file. More than once: main(sys.argv[1:]) is at its end, and main() before it."""
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for _ in range(PASSES):
            for node in ast.walk(tree):
                self._read_node(node, functions)

    def _read_node(self, node: ast.AST, functions: dict[str, ast.FunctionDef]) -> None:
        if isinstance(node, ast.Call) and (function := functions.get(called_name(node))):
            for parameter, value in zip(function.args.args, node.args, strict=False):
                self._assign(ast.Name(parameter.arg), value)
        elif isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                self._assign(target, value)
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Subscript) and _is_client_id(node):
            self.names[self._position(node.left)] = "clientid"
        elif isinstance(node, ast.Subscript) and (position := self._position(node)):
            self.names.setdefault(position, f"argument {position}")

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        first = self._first(value)
        if isinstance(target, ast.Tuple | ast.List) and first is not None:
            for number, each in enumerate(target.elts):
                if isinstance(each, ast.Starred):
                    self._lists[_name(each.value)] = first + number
                    return
                self.names[first + number] = _name(each)
        elif first is not None:
            self._lists[_name(target)] = first
        else:
            for part in ast.walk(value):
                if isinstance(part, ast.Subscript) and (position := self._position(part)) and _name(target):
                    self.names[position] = _name(target)

    def _first(self, node: ast.expr) -> int | None:
        """Return the position of the first argument in a list of arguments; None if it is something else."""
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            base, lower = self._first(node.value), node.slice.lower
            if base is not None and isinstance(lower, ast.Constant) and isinstance(lower.value, int):
                return base + lower.value
            return None
        return self._lists.get(ast.unparse(node)) if isinstance(node, ast.Name | ast.Attribute) else None

    def _position(self, node: ast.Subscript) -> int:
        """Return the position of one argument, or 0."""
        base = self._first(node.value)
        if base is None or not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            return 0
        return max(base + node.slice.value, 0)


def _is_client_id(node: ast.Compare) -> bool:
    """Return whether something is compared with "1" or "2"."""
    return any(isinstance(each, ast.Constant) and str(each.value) in ("1", "2") for each in node.comparators)
