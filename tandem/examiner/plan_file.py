"""Reads a plan from a TOML file: the submissions that it is about, each with its own plan.

Raises a PlanError for every mistake, before anything runs.
"""

import re
import shlex
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import fields
from difflib import get_close_matches
from ipaddress import IPv4Address
from pathlib import Path, PurePosixPath

from tandem.examiner.order import Limits
from tandem.examiner.placeholders import OF_ONE_PROGRAM, PLACEHOLDERS, names_in
from tandem.examiner.plan import IMPORTS, TEAM, UNKNOWN, Plan, PlanAddresses, PlannedProgram, Submission
from tandem.examiner.plan_keys import KEYS, SECTIONS, PlanError, PlanTable
from tandem.examiner.scenario import Scenario
from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT, parse_address

MAX_PLAN_BYTES = 1_000_000
MAX_LIMITS: dict[str, float] = {
    "seconds": 600,
    "cpu_seconds": 600,
    "memory_mib": 8_192,
    "processes": 1_000,
    "output_kib": 16_384,
    "disk_mib": 1_024,
    "quiet_s": 300,
    "grace_s": 60,
}


def read_plan(file: Path, scenarios: Collection[Scenario]) -> tuple[Submission, ...]:
    """Return the submissions of a plan.

    Raises:
        PlanError: the plan, or a folder that it names, cannot be used.
    """
    plan = _load(file)
    if plan.has("submission") == plan.has("class"):
        raise plan.error("", "it needs [submission] or [class], and has " + ("both" if plan.has("class") else "none"))
    if plan.has("submission"):
        if plan.has("exceptions"):
            raise plan.error("exceptions", "they are for submissions of a class", "leave them out, or use [class]")
        folder = _folder(plan.table("submission"), file)
        return (Submission(folder.resolve().name or "submission", folder, _plan(plan, scenarios)),)
    return _class(plan, file, scenarios)


def _load(file: Path) -> PlanTable:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PLAN_BYTES + 1)
    except OSError as error:
        raise PlanError(
            f"{file} cannot be read: {error.strerror}", "tandem examine --init FOLDER > plan.toml"
        ) from None
    if len(content) > MAX_PLAN_BYTES:
        raise PlanError(f"{file} has more than {MAX_PLAN_BYTES:,} bytes", "a plan, which is a TOML file")
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{file}: it is not TOML: {error}") from None
    return PlanTable(values, str(file))


def _class(plan: PlanTable, file: Path, scenarios: Collection[Scenario]) -> tuple[Submission, ...]:
    folder = _folder(plan.table("class"), file)
    try:
        folders = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        raise plan.table("class").error("folder", f"{folder} cannot be read: {error.strerror}") from None
    if not folders:
        raise plan.table("class").error("folder", f"there is no folder in {folder}", "a folder of submissions")
    exceptions = _exceptions(plan, [each.name for each in folders])
    plans = {name: _plan(exception, scenarios) for name, exception in exceptions.items()}
    # The plan by itself is read only if a submission uses it: it may lack what every exception has.
    rest = _plan(plan, scenarios) if len(plans) < len(folders) else None
    return tuple(Submission(each.name, each, plans.get(each.name) or rest) for each in folders)  # type: ignore[arg-type]


def _exceptions(plan: PlanTable, names: list[str]) -> dict[str, PlanTable]:
    """Return the whole plan of each submission that is an exception."""
    found: dict[str, PlanTable] = {}
    for exception in plan.tables("exceptions"):
        name = exception.text("folder")
        if name not in names:
            meant = get_close_matches(name, names, 1)
            raise exception.error("folder", f"the class has no folder {name!r}", *meant)
        if name in found:
            raise exception.error("folder", f"{name!r} has an exception before this one", "one exception for it")
        exception.refuse_others(
            ["folder", *(section for section in SECTIONS if section not in ("submission", "class"))]
        )
        found[name] = plan.merged(exception, "folder", f"{plan.where}: with the exception for {name!r}")
    return found


def _folder(table: PlanTable, file: Path) -> Path:
    table.refuse_others(KEYS[table.name])
    folder = file.parent / table.text("folder")
    if not folder.is_dir():
        raise table.error("folder", f"{folder} is not a folder")
    return folder


def _plan(plan: PlanTable, scenarios: Collection[Scenario]) -> Plan:
    plan.refuse_others([*SECTIONS, "exceptions"])
    for name in ("addresses", "team", "limits", "counts", "rules"):
        plan.table(name).refuse_others(KEYS[name])
    counts = plan.table("counts")
    made = Plan(
        client1=_program(plan.table("client1")),
        client2=_program(plan.table("client2")),
        addresses=_addresses(plan.table("addresses"), plan.table("client2")),
        team={name: plan.table("team").text(name, default) for name, default in TEAM.items()},
        files=_files(plan.table("files")),
        limits=_limits(plan.table("limits")),
        imports=plan.table("rules").texts("imports", IMPORTS),
        leave_out=_leave_out(counts, scenarios),
        points=_points(counts.table("points"), scenarios),
    )
    _check_ways(plan, made)
    return made


def _program(table: PlanTable) -> PlannedProgram:
    table.refuse_others(KEYS[table.name])
    command = table.text("command")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise table.error("command", f"it is not a command line: {str(error).lower()}") from None
    if not words:
        raise table.error("command", "it is empty", '"python3 client.py"')
    _check_placeholders(table, "command", words)
    return PlannedProgram(words, tuple(map(_prompt, table.tables("prompts"))))


def _prompt(table: PlanTable) -> tuple[str, str]:
    table.refuse_others(KEYS["prompts"])
    asks, answer = table.text("asks"), table.text("answer")
    try:
        re.compile(asks)
    except (re.error, RecursionError, OverflowError) as error:
        raise table.error("asks", f"{asks!r} is not a regular expression: {error}", repr(re.escape(asks))) from None
    if not asks or re.search(asks, ""):
        raise table.error("asks", f"{asks!r} is found in every output", "a part of the question")
    if "\n" in answer or "\r" in answer:
        raise table.error("answer", "there is a line end in it", "one question for each line")
    _check_placeholders(table, "answer", [answer])
    return asks, answer


def _check_placeholders(table: PlanTable, key: str, texts: Iterable[str]) -> None:
    texts = list(texts)
    if any(UNKNOWN in text for text in texts):
        raise table.error(key, f"{UNKNOWN} is in it: the draft is not corrected yet", "what the program wants there")
    for name in names_in(texts):
        if name not in PLACEHOLDERS:
            meant = get_close_matches(name, PLACEHOLDERS, 1)
            help = f"{{{meant[0]}}}" if meant else ", ".join(PLACEHOLDERS)
            raise table.error(key, f"{{{name}}} is not a placeholder", help)


def _addresses(table: PlanTable, client2: PlanTable) -> PlanAddresses:
    usual = PlanAddresses()
    server = usual.server
    if table.has("server"):
        try:
            host, port = parse_address(table.text("server"), SERVER_PORT)
        except ValueError as error:
            raise table.error("server", str(error)) from None
        server = _host(table, "server", host), port
    client1 = _host(table, "client1", table.text("client1", usual.client1))
    client2_host = _host(table, "client2", table.text("client2", usual.client2))
    if is_loopback(client1):
        raise table.error("client1", f"{client1} is the same on every machine", "leave client1 out")
    hosts = [host for host in (server[0], client1, client2_host) if not is_loopback(host)]
    if len(set(hosts)) < len(hosts):
        raise table.error("", "two of the three hosts have one address", "leave out what is not built in")
    port = int(client2.number("listens", CLIENT_2_PORT, 1, 65_535))
    return PlanAddresses(server, client1, client2_host, port)


def _host(table: PlanTable, key: str, text: str) -> str:
    """Return an IPv4 address. localhost is 127.0.0.1."""
    text = "127.0.0.1" if text == "localhost" else text
    try:
        address = IPv4Address(text)
    except ValueError:
        raise table.error(key, f"{text!r} is not an IPv4 address", "192.168.1.2") from None
    if address.is_unspecified or address.is_multicast or address == IPv4Address("255.255.255.255"):
        raise table.error(key, f"{text} is not the address of one host", "192.168.1.2")
    return text


def is_loopback(host: str) -> bool:
    """Return whether an address is on every host, as 127.0.0.1."""
    return host.startswith("127.")


def _files(table: PlanTable) -> dict[str, str]:
    for name in table.names():
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\0" in name or path.name == "":
            raise table.error(name, "it is not the name of a file in the submission", '"TEAM.json"')
        for placeholder in OF_ONE_PROGRAM:
            if placeholder in names_in([table.text(name)]):
                raise table.error(name, f"{{{placeholder}}} differs between the programs, and the file does not")
    return {name: table.text(name) for name in table.names()}


def _limits(table: PlanTable) -> Limits:
    usual = Limits()
    values = {
        each.name: table.number(each.name, getattr(usual, each.name), 1, MAX_LIMITS[each.name])
        for each in fields(Limits)
    }
    return Limits(**values)  # type: ignore[arg-type]


def _leave_out(table: PlanTable, scenarios: Collection[Scenario]) -> frozenset[str]:
    names = [scenario.id for scenario in scenarios] + [check.id for each in scenarios for check in each.checks]
    left_out = table.texts("leave_out", ())
    for name in left_out:
        _check_id(table, "leave_out", name, names)
    return frozenset(left_out)


def _points(table: PlanTable, scenarios: Collection[Scenario]) -> dict[str, int]:
    names = [check.id for each in scenarios for check in each.checks]
    for name in table.names():
        _check_id(table, name, name, names)
    return {name: int(table.number(name, 1, 0, 1_000)) for name in table.names()}


def _check_id(table: PlanTable, key: str, name: str, names: list[str]) -> None:
    if name not in names:
        meant = get_close_matches(name, names, 1)
        raise table.error(key, f"there is no {name!r}", meant[0] if meant else ", ".join(dict.fromkeys(names)))


def _check_ways(table: PlanTable, plan: Plan) -> None:
    """Raise PlanError if a program gets an address neither from the plan, nor has it built in as the plan says."""
    first = names_in([*plan.client1.texts(), *plan.files.values()])
    second = names_in([*plan.client2.texts(), *plan.files.values()])
    addresses, client2 = table.table("addresses"), table.table("client2")
    for section, given in (("client1", first), ("client2", second)):
        if "server_host" not in given and not addresses.has("server"):
            raise addresses.error("server", f"it is missing, and {section} is not given {{server_host}}", _BUILT_IN)
    if "peer_host" not in first and not addresses.has("client2"):
        raise addresses.error("client2", "it is missing, and client1 is not given {peer_host}", _BUILT_IN)
    if not second & {"listen_port", "peer_port"} and not client2.has("listens"):
        raise client2.error(
            "listens", "it is missing, and client2 is not given {listen_port}", "the port in its source"
        )


_BUILT_IN = "the address that the program has built in"
