"""The rules of the assignment that are decided from the source: allowed imports, low-level sockets, one program.

Each finding has its file and line. Addresses in the source are reported, and no rule forbids them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from tandem.examiner.plan import Plan
from tandem.examiner.python_source import SourceFile, called_name, imports, own_files, program_of, source_files
from tandem.examiner.scenario import Check
from tandem.examiner.verdicts import CheckResult

MAX_SHOWN = 5  # findings in one reason
MAX_ADDRESSES = 20

NETWORKING = frozenset(
    {
        "aiohttp",
        "asyncio",
        "asyncore",
        "flask",
        "ftplib",
        "http",
        "httpx",
        "imaplib",
        "paramiko",
        "poplib",
        "requests",
        "smtplib",
        "socketserver",
        "telnetlib",
        "tornado",
        "twisted",
        "urllib",
        "urllib3",
        "websocket",
        "websockets",
        "xmlrpc",
        "zmq",
    }
)
PROGRAM_STARTERS = frozenset({"multiprocessing", "pexpect", "pty", "subprocess"})
STARTING_CALLS = ("os.exec", "os.popen", "os.posix_spawn", "os.spawn", "os.startfile", "os.system")  # their beginnings
ALWAYS_ALLOWED = "__future__"

IMPORTS = Check(
    "imports",
    "rule",
    "",
    "Does it import the allowed modules only?",
    (),
    "Use the modules that the teacher allows; the plan lists them.",
)
LOW_LEVEL = Check(
    "low-level-sockets",
    "rule",
    "",
    "Does it use low-level sockets only?",
    (),
    "Use the module socket: connect(), sendall(), recv(), bind(), listen(), accept().",
)
NO_OTHER_PROGRAMS = Check(
    "no-other-programs",
    "rule",
    "",
    "Does it start no other program?",
    (),
    "Do the work in the program itself.",
)
SAME_CODE = Check(
    "same-code",
    "rule",
    "",
    "Are client 1 and client 2 the same program?",
    (),
    "Write one program, and start it twice: the client id tells it which part to take.",
)
RULES = (IMPORTS, LOW_LEVEL, NO_OTHER_PROGRAMS, SAME_CODE)


@dataclass(frozen=True)
class SourceReport:
    """The verdicts on the rules, and the addresses in the source: "client.py:3: 10.0.0.1"."""

    results: tuple[CheckResult, ...]
    addresses: tuple[str, ...]


def check_source(folder: Path, plan: Plan) -> SourceReport:
    """Decide the rules for a submission. Reads its files only."""
    programs = [program_of(program.command, folder) for program in (plan.client1, plan.client2)]
    found = dict.fromkeys(program for program in programs if program)
    files = list({file.path: file for program in found for file in source_files(program, folder)}.values())
    unread = [file.error for file in files if file.error]
    if None in programs:
        unread.append("a command starts no Python file of the submission")
    foreign = list(_foreign_imports(files, list(found), folder, plan.imports))
    networking = [_finding(file, line, name) for file, line, name in foreign if name in NETWORKING]
    starters = [_finding(file, line, name) for file, line, name in foreign if name in PROGRAM_STARTERS]
    others = [_finding(file, line, name) for file, line, name in foreign if name not in NETWORKING | PROGRAM_STARTERS]
    results = (
        _result(IMPORTS, others, unread),
        _result(LOW_LEVEL, networking, unread),
        _result(NO_OTHER_PROGRAMS, [*starters, *_starting_calls(files)], unread),
        _same_code(programs, folder),
    )
    return SourceReport(results, tuple(_addresses(files))[:MAX_ADDRESSES])


def _result(check: Check, findings: list[str], unread: list[str]) -> CheckResult:
    """Return fail if something was found, unclear if a file was not read, else pass."""
    reasons = findings or unread
    more = f"; and {len(reasons) - MAX_SHOWN} more" if len(reasons) > MAX_SHOWN else ""
    verdict = "fail" if findings else "unclear" if unread else "pass"
    return CheckResult(check, verdict, "; ".join(reasons[:MAX_SHOWN]) + more)  # type: ignore[arg-type]


def _finding(file: SourceFile, line: int, module: str) -> str:
    return f"{file.name}:{line}: imports {module}"


def _foreign_imports(
    files: Iterable[SourceFile], programs: Iterable[Path], root: Path, allowed: Iterable[str]
) -> Iterator[tuple[SourceFile, int, str]]:
    """Yield file, line and name of each import that is neither allowed nor a file of the submission."""
    known = {ALWAYS_ALLOWED, *allowed}
    starts = [root, *(program.parent for program in programs)]
    for file in files:
        for each in imports(file.tree):
            name = each.module.partition(".")[0]
            is_allowed = name in known or each.module in known or each.dots
            if not is_allowed and not any(own_files(each, file.path, start, root) for start in starts):
                yield file, each.line, name


def _starting_calls(files: Iterable[SourceFile]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and called_name(node).startswith(STARTING_CALLS):
                yield f"{file.name}:{node.lineno}: calls {called_name(node)}()"


def _same_code(programs: list[Path | None], root: Path) -> CheckResult:
    first, second = programs
    if first is None or second is None:
        return CheckResult(SAME_CODE, "unclear", "a command starts no Python file of the submission")
    if first == second or first.read_bytes() == second.read_bytes():
        return CheckResult(SAME_CODE, "pass", "")
    names = " and ".join(path.relative_to(root).as_posix() for path in (first, second))
    return CheckResult(SAME_CODE, "fail", f"{names} differ")


def _addresses(files: Iterable[SourceFile]) -> Iterator[str]:
    for file in files:
        for text, line in address_texts(file.tree):
            yield f"{file.name}:{line}: {text}"


def address_texts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each text that is an IPv4 address of one host, or localhost, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_host_address(node.value):
            yield node.value, node.lineno


def is_host_address(text: str) -> bool:
    """Return whether a text is an IPv4 address of one host, or localhost."""
    try:
        return text == "localhost" or not IPv4Address(text).is_unspecified
    except ValueError:
        return False
