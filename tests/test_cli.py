"""The command line as a whole: usage, exit codes, one line for every mistake."""

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tandem import __version__
from tandem.commands import serve
from tandem.commands.arguments import Parser
from tandem.protocol.errors import TandemError
from testing.processes import ROOT, tandem
from testing.raw_sockets import encoded, message_1

WRONG_USAGE = [
    [],
    ["nonsense"],
    ["serve", "--listen", "127.0.0.1:none"],
    ["serve", "--listen", "127.0.0.1:70000"],
    ["serve", "--listen", "192.168.1"],
    ["serve", "--board", "http://127.0.0.1:8080"],
    ["board", "--listen", "127.0.0.1, 8080"],
    ["bench", "--server", "5550"],
    ["serve", "--errors", "loudly"],
    ["serve", "--framing", "morse"],
    ["results", "--format", "xml"],
    ["results", "--state", "asleep"],
    ["check", "one", "two"],
    ["check", "--format", "xml"],
    ["demo", "now"],
    ["client"],
    ["client", "3"],
]


def test_only_the_root_error_joins_what_and_help() -> None:
    """An error has them as two texts; str() of the root error makes the line."""
    assert str(TandemError("it broke", "another one")) == "it broke. Try: another one"
    assert str(TandemError("it broke")) == "it broke"
    joined = [path.name for path in (ROOT / "tandem").rglob("*.py") if ". Try: " in path.read_text(encoding="utf-8")]
    assert joined == ["errors.py"]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    code, out, err = tandem(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "init",
        "client",
        "serve",
        "results",
        "check",
        "board",
        "watch",
        "bench",
        "backup",
        "restore",
        "forget",
        "key",
    ],
)
def test_every_command_has_its_help(command: str) -> None:
    code, out, err = tandem(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: tandem {command} ")
    assert re.search(rf"^ +{command} +\w+ \w+", tandem("--help")[1], re.MULTILINE)


def test_a_command_waits_for_no_other_commands_parts(tmp_path: Path) -> None:
    script = "import sys; from tandem.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-S", "-c", script, "results", "--data", str(tmp_path)]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "tandem.records.queries" in loaded
    assert not {"tandem.server.loop", "tandem.bench.pace", "tandem.demo.demo", "tandem.net.proxy_header"} & set(loaded)


def test_version() -> None:
    assert tandem("--version")[:2] == (0, f"tandem {__version__}\n")


OLD = ((2, 7, 18), (3, 6, 15), (3, 10, 13))


@pytest.mark.parametrize("version", OLD, ids=str)
def test_an_old_python_gets_one_sentence(
    version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It loads tandem/__init__.py first, whatever is run, and must be able to."""
    file = ROOT / "tandem" / "__init__.py"
    ast.parse(file.read_text(encoding="ascii"), feature_version=(3, 6))
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "version", ".".join(map(str, version)) + " (main)")
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(file))
    assert capsys.readouterr().err == f"tandem needs Python 3.11 or later; this is {'.'.join(map(str, version))}\n"


def test_nothing_is_loaded_before_that_sentence() -> None:
    body = ast.parse((ROOT / "tandem" / "__init__.py").read_bytes()).body
    assert [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names] == ["sys"]
    assert not any(isinstance(node, ast.ImportFrom) for node in body)


def test_it_runs_with_a_bare_interpreter() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tandem", "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_check_accepts_a_right_message(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_bytes(encoded(message_1(ip="192.168.1.2")) + b"\n")
    code, _, err = tandem("check", str(file))
    assert (code, err) == (0, "")
    code, out, _ = tandem("check", "--format", "json", str(file))
    assert (code, json.loads(out)["accepted"]) == (0, True)


def test_check_refuses_a_wrong_one(tmp_path: Path) -> None:
    file = tmp_path / "message.json"
    file.write_bytes(encoded(message_1(clientid="1")))
    code, out, err = tandem("check", str(file))
    assert (code, err) == (1, "")
    assert "clientid" in out
    code, out, _ = tandem("check", "--format", "json", str(file))
    assert (code, json.loads(out)["accepted"]) == (1, False)


def test_check_reads_standard_input() -> None:
    command = [sys.executable, "-m", "tandem", "check"]
    for data, code in ((encoded(message_1()), 0), (b"", 1), (b"\xff\x1b[2J", 1)):
        done = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (code, b"")
        assert b"\x1b" not in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is needed")
def test_check_says_on_a_terminal_what_it_waits_for() -> None:
    terminal, end = os.openpty()
    try:
        os.write(terminal, encoded(message_1()) + b"\n\x04")
        command = [sys.executable, "-m", "tandem", "check"]
        done = subprocess.run(command, cwd=ROOT, stdin=end, capture_output=True, text=True, check=False)
    finally:
        os.close(end)
        os.close(terminal)
    assert (done.returncode, done.stderr) == (0, "paste the message, then Ctrl-D\n")
    assert done.stdout.startswith("accepted")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    code, out, err = tandem("check", str(tmp_path / "none"))
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    command = (
        f"{sys.executable} -m tandem --help | true; {sys.executable} -m tandem check --format json < /dev/null | true"
    )
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["check README.md", "demo"])
@pytest.mark.parametrize(("redirection", "words"), [(">/dev/full", "No space left"), (">&-", "is closed")])
def test_standard_output_that_takes_nothing_is_no_traceback(arguments: str, redirection: str, words: str) -> None:
    command = f"{sys.executable} -m tandem {arguments} {redirection}"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


INTERRUPTED = """
import os, signal, sys
from tandem import __main__ as program
def run(arguments):
    {source}
program._run = run
program.run()
"""


REPLACED = """try: signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt: raise SyntaxError('a module was not loaded')"""


@pytest.mark.parametrize("source", ["raise KeyboardInterrupt", REPLACED], ids=["as it is", "replaced by a library"])
def test_ctrl_c_before_a_command_has_begun(source: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED.format(source=source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tandem: stopped by Ctrl-C\n")


def test_ctrl_c_after_a_command_is_done_changes_nothing() -> None:
    """At its end Python gives up its handlers of signals."""
    script = INTERRUPTED.format(
        source="""
    class Late:
        def __del__(self): os.kill(os.getpid(), signal.SIGINT)
    sys.modules["late"] = Late()
    return 0"""
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("written", [("--on-wire", "length"), ("--on-wire=length",)], ids=" ".join)
def test_an_old_name_of_an_option_works_with_a_warning(
    written: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="tandem serve")
    serve.add_options(parser)
    assert parser.parse_args([*written, "--data", str(tmp_path)]).framing == "length"
    warning = "tandem serve: --on-wire is now called --framing; the old name will be removed in the next version\n"
    assert capsys.readouterr().err == warning
    with pytest.raises(SystemExit):
        parser.parse_args([*written, "--framing", "plain"])
    assert "--on-wire" not in parser.format_help()
