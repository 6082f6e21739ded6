"""What surrounds a command fails: files, streams, memory, Ctrl-C. One line, the right exit code, no traceback."""

import fcntl
import io
import json
import os
import resource
import select
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.backup.backup import make_backup
from tandem.cli import COMMANDS, main
from tandem.commands.backup import BACKUP_FILES
from tandem.doctor.machine_report import MachineReport
from tandem.keys.keyring import load_keyring
from tandem.records.sqlite.sqlite_store import SqliteStore
from tandem.report.screen import echo
from testing.bench_runs import run_of
from testing.command_walks import WALKS, Stage, Walk
from testing.processes import LIMIT, ROOT, limited, process, tandem, team_options, wait_until
from testing.raw_sockets import encoded
from testing.raw_sockets import message_1 as right_message
from testing.visits import TEAM, message_1, message_2

TANDEM = f"{shlex.quote(sys.executable)} -m tandem"
CLIENT_1 = ("client", "1", "--server", "127.0.0.1:1", "--peer", "127.0.0.1:2", *team_options())
CLIENT_2 = ("client", "2", "--server", "192.0.2.1", "--listen", "127.0.0.1:0", "--wait", "0.1")


def shell(command: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """A command with redirections, from the project's folder."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False, **settings
    )


def assert_one_line(done: subprocess.CompletedProcess[str], code: int = 1) -> None:
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two teams and a key."""
    folder = tmp_path / "data"
    folder.mkdir()
    load_keyring(folder)
    with closing(SqliteStore(folder)) as store:
        store.write([message_1(), message_2(), message_1(TEAM._replace(teamname="Team2"))])
    return folder


class TestStandardStreams:
    @pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
    @pytest.mark.parametrize("words", ["--help", "--version", *(f"{name} --help" for name in COMMANDS)])
    def test_help_that_cannot_be_written(self, words: str, unbuffered: str) -> None:
        done = shell(f"PYTHONUNBUFFERED={unbuffered} {TANDEM} {words} >/dev/full")
        assert_one_line(done)
        assert "No space left" in done.stderr

    @pytest.mark.parametrize("words", ["--help", "client --help"])
    def test_help_for_a_closed_standard_output(self, words: str) -> None:
        done = shell(f"{TANDEM} {words} >&-")
        assert_one_line(done)
        assert "standard output is closed" in done.stderr

    @pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
    @pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
    @pytest.mark.parametrize(
        ("words", "code"), [("nonsense", 2), ("check none", 1), ("client 3", 2), ("client 2 none", 2)]
    )
    def test_a_complaint_that_cannot_be_written(self, words: str, code: int, unbuffered: str, redirection: str) -> None:
        """It does not go to standard output in its place: that is for programs."""
        done = shell(f"PYTHONUNBUFFERED={unbuffered} {TANDEM} {words} {redirection}")
        assert (done.returncode, done.stdout, done.stderr) == (code, "", "")

    @pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
    def test_a_warning_that_cannot_be_written(self, redirection: str) -> None:
        """It neither ends the client nor goes to standard output: the client waits for client 1."""
        done = shell(f"{TANDEM} {shlex.join(CLIENT_2)} --on-wire plain {redirection}")
        assert (done.returncode, done.stderr) == (1, "")
        assert "listening on" in done.stdout
        assert "--framing" not in done.stdout

    def test_standard_input_that_is_closed(self) -> None:
        done = shell(f"{TANDEM} check <&-")
        assert_one_line(done)
        assert "standard input is closed" in done.stderr

    def test_no_file_gets_the_number_of_a_closed_stream(self, data: Path) -> None:
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            done = shell(f"{TANDEM} results --data {data} --format csv {closed}")
            if " >&-" in f" {closed}":
                assert (done.returncode, done.stdout) == (1, "")
                assert ("standard output is closed" in done.stderr) == ("2>&-" not in closed)
            else:
                assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 3, "")


# Each command that ends by itself, with the beginning of what it says if its output cannot be written.
FINISHING = {
    "results": "standard output ",
    "results --format csv": "standard output ",
    "results --visits Team1": "standard output ",
    "backup new.zip": "the backup new.zip is complete, but ",
    "restore --data restored backup.zip": "the backup was restored into restored, but ",
    "forget --team Team1": "1 team and 2 visits were removed for good, but ",
    "forget --team Team1 --dry-run": "standard output ",
    "key rotate": "a new key is in tandem-data/key, but ",
    "board token rotate": "the old token is no longer valid, and a new one needs the same command again, but ",
    "check message.json": "standard output ",
    "check --format json message.json": "standard output ",
    f"init new.json {' '.join(team_options())} --server 192.0.2.1 --peer 192.0.2.2": "new.json is written, but ",
    "explain 98": "standard output ",
    "demo": "standard output ",
    "doctor": "standard output ",
    "examine --init tandem-data": "standard output ",
    "bench --server 127.0.0.1:1": "the run is over, but ",
}
BROKEN = {
    ">/dev/full": "standard output cannot be written: No space left on device",
    ">&-": "standard output is closed",
    "| nobody": "the reader of standard output has closed it",
}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data folder, a backup and a message."""
    here = tmp_path_factory.mktemp("furnished")
    data = here / "tandem-data"
    data.mkdir(mode=0o700)
    load_keyring(data)
    with closing(SqliteStore(data)) as store:
        store.write([message_1(), message_2()])
    make_backup(data, here / "backup.zip", BACKUP_FILES)
    (here / "message.json").write_bytes(encoded(right_message(ip="192.0.2.1")))
    return here


@contextmanager
def broken_output(how: str) -> Iterator[None]:
    """Break descriptor 1 of this process in a block, as a shell would for a command."""
    kept = os.dup(1)
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        if how == ">&-":
            os.close(1)
        else:
            os.dup2(full if how == ">/dev/full" else writer, 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", None if how == ">&-" else open(1, "w", closefd=False))  # noqa: SIM115
            yield
    finally:
        os.dup2(kept, 1)
        for descriptor in (kept, writer, full):
            os.close(descriptor)


class TestOutputThatCannotBeWritten:
    """Exit code 1, and a line that says truly what was done. Only where a reader has had enough there may be none."""

    @pytest.mark.needs_extra
    @pytest.mark.parametrize("how", BROKEN)
    @pytest.mark.parametrize("words", FINISHING)
    def test_standard_output(
        self, words: str, how: str, furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(furnished, tmp_path / "here")
        monkeypatch.chdir(tmp_path / "here")
        monkeypatch.setattr("tandem.commands.bench.bench", lambda asked: run_of([1000]))
        monkeypatch.setattr("tandem.commands.examine.draft_plan", lambda *_: "[submission]\n")
        monkeypatch.setattr("tandem.commands.doctor.examine", lambda *_: MachineReport([("name", "laptop")], []))
        if words == "demo":
            monkeypatch.setattr("tandem.commands.demo.demo", lambda: echo(["the exchange\n"]))
        said = io.StringIO()
        monkeypatch.setattr("sys.stderr", said)
        with broken_output(how):
            assert main(words.split()) == 1
        done = FINISHING[words]
        if how == "| nobody" and done == "standard output ":
            assert said.getvalue() == ""
        else:
            assert said.getvalue().startswith(f"tandem: {done}")
            assert BROKEN[how] in said.getvalue()
            assert said.getvalue().count("\n") == 1

    def test_every_command_is_in_the_table(self) -> None:
        endless = {"serve", "board", "client", "watch"}
        assert {words.split()[0] for words in FINISHING} == set(COMMANDS) - endless | {"board"}

    @pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
    def test_standard_error_changes_nothing(self, redirection: str, furnished: Path) -> None:
        done = shell(f"{TANDEM} results --data {furnished}/tandem-data {redirection}")
        assert (done.returncode, done.stdout.count("Team1"), done.stderr) == (0, 1, "")


class TestFiles:
    def test_a_new_key_that_cannot_be_written(self, data: Path) -> None:
        before = sorted((path.name, path.read_bytes()) for path in data.iterdir())
        done = shell(f"ulimit -f 0; {TANDEM} key rotate --data {data}")
        assert_one_line(done)
        assert "the old key stays in use" in done.stderr
        assert sorted((path.name, path.read_bytes()) for path in data.iterdir()) == before

    def test_a_new_key_in_a_folder_that_cannot_be_written(self, data: Path) -> None:
        data.chmod(0o500)
        bound = "setpriv --bounding-set=-dac_override " if os.geteuid() == 0 else ""  # root may write everywhere
        assert_one_line(shell(f"{bound}{TANDEM} key rotate --data {data}"))

    @pytest.mark.parametrize("name", ["here", "nowhere"])
    def test_no_key_to_rotate(self, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "here").mkdir(mode=0o700)
        assert main(["key", "rotate", "--data", str(tmp_path / name)]) == 1
        what = {"here": "key in", "nowhere": "folder"}[name]
        err = capsys.readouterr().err
        assert err.startswith(f"tandem: there is no {what} {tmp_path / name}. Try: the --data of a server")
        assert err.count("\n") == 1
        assert not list(tmp_path.glob("*/*"))

    @pytest.mark.parametrize(
        "words",
        [
            "backup",
            "restore",
            "check",
            "init",
            "serve --log",
            "bench --server h:1 --output",
            "board --certfile",
            "watch --listen 0 --to h --capture",
        ],
    )
    def test_a_name_of_a_file_that_is_none(self, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        for name, told in (("-", "- stands for no stream here"), ("", "it is empty"), (" ", "it is empty")):
            with pytest.raises(SystemExit, match="2"):
                main([*words.split(), name])
            out, err = capsys.readouterr()
            assert (out, err.count("\n"), told in err) == ("", 1, True), err

    def test_a_key_file_without_end(self, data: Path) -> None:
        os.truncate(data / "key", 2**40)
        code, out, err = tandem("key", "rotate", "--data", str(data))
        assert (code, out, err.count("\n")) == (1, "", 1)

    def test_a_backup_below_a_file(self, data: Path) -> None:
        code, out, err = tandem("backup", "--data", str(data), str(data / "key" / "x"))
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "Not a directory" in err

    @pytest.mark.parametrize(
        "walk", [walk for walk in WALKS if "--data" in walk.examples], ids=lambda walk: " ".join(walk.command)
    )
    def test_a_data_folder_that_is_none(self, walk: Walk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "broken").symlink_to("nowhere")
        for name, words in (
            (tmp_path / "broken", f"{tmp_path}/broken is a broken symbolic link (to nowhere), not a folder"),
            (tmp_path / "broken" / "x", f"{tmp_path}/broken is a broken symbolic link (to nowhere), not a folder"),
            ("/dev/null", "/dev/null is a device, not a folder"),
            ("x" * 300, "File name too long"),
        ):
            assert main([*walk.command, *walk.words(), "--data", str(name)]) == 1
            out, err = capsys.readouterr()
            assert (out, err.count("\n"), words in err) == ("", 1, True), err

    def test_a_log_that_cannot_be_found(self, data: Path, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to("loop")
        code, out, err = tandem("serve", "--data", str(data), "--listen", "127.0.0.1:0", "--log", f"{tmp_path}/loop")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "it is a symbolic link that leads back to itself" in err

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ("serve --listen 127.0.0.1:0 --data DATA --log x.log", 1),
            ("serve --listen 127.0.0.1:0", 1),
            ("results", 1),
            ("backup --data DATA x.zip", 1),
            ("restore --data x README.md", 1),
            ("check README.md", 1),
            ("client 2 team.json --server 192.0.2.1", 2),
        ],
    )
    def test_the_current_folder_was_removed(self, words: str, code: int, data: Path) -> None:
        gone = data / "gone"
        command = f"mkdir {gone} && cd {gone} && rmdir {gone} && {TANDEM} {words.replace('DATA', str(data))}"
        assert_one_line(shell(command, env=os.environ | {"PYTHONPATH": str(ROOT)}), code)

    @pytest.mark.parametrize("command", [CLIENT_2, ("check",)], ids=lambda words: words[0])
    @pytest.mark.parametrize("name", ["/dev/zero", "/", "/dev/null/x", ""])
    def test_what_is_no_file_with_a_message(self, command: tuple[str, ...], name: str) -> None:
        code, out, err = tandem(*command, name)
        assert code == (2 if command is CLIENT_2 or not name else 1)
        assert (out, err.count("\n")) == ("", 1)
        assert name in err if name else "empty" in err

    @pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
    def test_check_refuses_a_device(self, name: str) -> None:
        code, out, err = tandem("check", name)
        assert (code, out) == (1, "")
        assert f"{name} cannot be read: it is a device. Try: " in err

    def test_check_reads_the_pipe_of_a_process_substitution(self) -> None:
        """As in `check <(program)`: the shell gives the name /dev/fd/N."""
        reader, writer = os.pipe()
        os.write(writer, encoded(right_message(ip="192.0.2.1")))
        os.close(writer)
        try:
            command = [sys.executable, "-m", "tandem", "check", f"/dev/fd/{reader}"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, pass_fds=[reader], check=False, timeout=LIMIT)
        finally:
            os.close(reader)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_check_says_on_a_terminal_that_it_waits_for_a_pipe(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        terminal, end = os.openpty()
        command = [sys.executable, "-m", "tandem", "check", str(pipe)]
        waiting = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=end)
        try:
            assert select.select([terminal], [], [], LIMIT)[0]
            assert os.read(terminal, 1000).decode().startswith(f"{pipe} is a pipe: waiting until ")
            with writing(pipe, encoded(right_message(ip="192.0.2.1"))):
                out, _ = waiting.communicate(timeout=LIMIT)
        finally:
            waiting.kill()
            waiting.communicate()
            os.close(end)
            os.close(terminal)
        assert (waiting.returncode, out[:8]) == (0, b"accepted")

    def test_standard_input_without_end(self) -> None:
        done = shell(f"{TANDEM} check </dev/zero")
        assert (done.returncode, done.stderr) == (1, "")

    @pytest.mark.parametrize("size", [0, 10_000_000], ids=["a message", "more than a message"])
    @pytest.mark.parametrize("command", [("check",), CLIENT_2], ids=lambda words: words[0])
    def test_a_pipe_is_read_like_a_file(self, tmp_path: Path, command: tuple[str, ...], size: int) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with writing(pipe, encoded(right_message(ip="192.0.2.1")) + b" " * size):
            code, _, err = tandem(*command, str(pipe))
        if command is CLIENT_2:
            assert (code, "no message came" in err) == ((2, False) if size else (1, True))
        else:
            assert (code, err) == (0, "")

    @pytest.mark.parametrize("command", [CLIENT_2, ("check",)], ids=lambda words: words[0])
    def test_ctrl_c_ends_the_wait_for_somebody_who_writes(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with process("-m", "tandem", *command, str(pipe)) as waiting:
            writer = os.open(pipe, os.O_WRONLY)  # returns once the command has it open
            os.write(writer, b"{")
            wait_until(lambda: fcntl.ioctl(writer, termios.FIONREAD, b"\0" * 4) == b"\0" * 4)  # it reads
            waiting.signal(signal.SIGINT)
            assert waiting.wait() == 130
            os.close(writer)
            assert waiting.err.endswith("stopped by Ctrl-C\n")
            assert waiting.err.count("\n") == 1


@contextmanager
def writing(pipe: Path, data: bytes) -> Iterator[None]:
    """Writes to a named pipe for as long as somebody reads."""

    def write() -> None:
        try:
            pipe.write_bytes(data)
        except BrokenPipeError:
            pass  # the reader has had enough

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))  # if nobody has read: lets it go on
        writer.join()


class TestCtrlC:
    @pytest.mark.parametrize("words", ["results", "results --format json", "forget --class INF2A --dry-run"])
    def test_it_ends_a_command_whose_output_nobody_reads(self, words: str, tmp_path: Path) -> None:
        with closing(SqliteStore(tmp_path)) as store:
            store.write([message_1(TEAM._replace(teamname=f"Team{number}")) for number in range(1000)])
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # less than any of the outputs
        command = subprocess.Popen(
            [sys.executable, "-m", "tandem", *words.split(), "--data", str(tmp_path)],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writer)
        try:
            wait_until(lambda: any(fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4)))
            command.send_signal(signal.SIGINT)
            _, err = command.communicate(timeout=LIMIT)
        finally:
            command.kill()
            command.communicate()
            os.close(reader)
        assert (command.returncode, err) == (130, "tandem: stopped by Ctrl-C\n")

    # The second one comes while the first one is being printed.
    SCRIPT = """
import os, runpy, signal, sys
import {module} as module
def interrupt(*words): os.kill(os.getpid(), signal.SIGINT); return words[0]
real = module.{function}
module.{function} = lambda *words: (interrupt(*words), real(*words))[1]
import {printer} as printer
again = printer.{prints}
printer.{prints} = lambda *words: (interrupt(*words), again(*words))[1]
sys.argv = {arguments}
runpy.run_module({start!r}, run_name="__main__", alter_sys=True)
"""

    @pytest.mark.parametrize(
        ("names", "codes", "lines"),
        [
            (
                {
                    "module": "tandem.commands.check",
                    "function": "run",
                    "printer": "tandem.report.screen",
                    "prints": "write_error",
                    "arguments": ["tandem", "check", "README.md"],
                    "start": "tandem",
                },
                (130,),
                1,
            ),
            (
                {
                    "module": "tandem.client.client2",
                    "function": "run",
                    "printer": "tandem.protocol.printable",
                    "prints": "printable",
                    "arguments": ["client", "2", "--server", "192.0.2.1"],
                    "start": "tandem.client",
                },
                (130, -signal.SIGINT),
                0,
            ),
        ],
        ids=["tandem", "the client alone"],
    )
    def test_a_second_one_is_no_traceback(self, names: dict[str, object], codes: tuple[int, ...], lines: int) -> None:
        script = self.SCRIPT.format(**names)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode in codes, done.stderr
        assert done.stderr.count("\n") == lines, done.stderr

    IMPORTS = """
import runpy, sys
class Interrupt:
    def find_spec(self, name, *rest):
        if name == {module!r}: raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
sys.argv = ["client", "--help"]
runpy.run_module("tandem.client", run_name="__main__", alter_sys=True)
"""

    @pytest.mark.parametrize("module", ["tandem.client.client1", "socket", "tandem.client.output"])
    def test_during_the_imports_of_the_client_it_is_no_traceback(self, module: str) -> None:
        command = [sys.executable, "-S", "-c", self.IMPORTS.format(module=module)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode in (130, -signal.SIGINT)  # a shell says 130 for both
        assert (done.stdout, done.stderr) == ("", "")


class TestLocale:
    """In a C locale Python keeps the bytes of an argument beyond ASCII as surrogates."""

    @pytest.mark.needs_extra
    @pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
    def test_an_argument_beyond_ascii_does_the_same_in_every_locale(
        self, walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stage = Stage(tmp_path, monkeypatch, capsys)
        for name, words in walk.examples.items():
            codes = set()
            for argument in ("Gr\xf6\xdfe", "Gr\udcc3\udcb6\udcc3\udc9fe"):
                asked = (name, argument) if name.startswith("--") and len(words) > 1 else (argument,)
                codes.add(stage.run(replace(walk, examples={name: asked}), name).code)
            assert len(codes) == 1, name

    def test_names_in_a_c_locale(self, tmp_path: Path) -> None:
        team = TEAM._replace(classname="Gr\xf6\xdfe", teamname="Zo\xeb")
        with closing(SqliteStore(tmp_path)) as store:
            store.write([message_1(team)])
        c_locale = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
        for words in (("results", "--class", "Gr\xf6\xdfe"), ("results", "--visits", "Zo\xeb")):
            code, out, err = tandem(*words, "--data", str(tmp_path), "--format", "json", env=c_locale)
            assert (code, err, len(json.loads(out))) == (0, "", 1)
        code, out, _ = tandem("forget", "--team", "Zo\xeb", "--data", str(tmp_path), env=c_locale)
        assert (code, out.splitlines()[0]) == (0, r"removed Gr\xf6\xdfe/Zo\xeb")


class TestDescriptors:
    @pytest.mark.parametrize("walk", WALKS, ids=lambda walk: " ".join(walk.command))
    def test_a_command_says_how_many_it_needs(
        self, walk: Walk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("tandem.net.descriptors.raise_descriptor_limit", lambda wanted: 63)
        assert main([*walk.command, *walk.words()]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert "needs 64 descriptors (open files and sockets), and the limit is 63" in err

    @pytest.mark.parametrize("words", ["serve --workers 2", "board", "demo"])
    def test_few_are_one_line(self, words: str, tmp_path: Path) -> None:
        data = () if words == "demo" else ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
        code, out, err = tandem(*words.split(), *data, before=limited("-n 16"))
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "needs 64 descriptors" in err

    def test_a_low_limit_is_raised_where_the_system_allows_it(self, data: Path) -> None:
        assert tandem("results", "--data", str(data), before=limited("-S -n 16"))[0] == 0

    @pytest.mark.parametrize("command", [CLIENT_1, CLIENT_2], ids=["client 1", "client 2"])
    def test_a_client_needs_few(self, command: tuple[str, ...]) -> None:
        code, _, err = tandem(*command, before=limited("-n 8"))
        assert (code, err.count("\n")) == (1, 1)
        assert "arrow" in err


MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def interpreter_needs() -> int:
    """Bytes of address space that Python alone takes here."""
    script = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmPeak')))"
    return 1024 * int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)


@pytest.mark.parametrize("more", range(2, 42, 4))
def test_a_limit_of_memory_is_one_line_and_loses_nothing(data: Path, interpreter_needs: int, more: int) -> None:
    limit = interpreter_needs + more * MEBIBYTE

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    for words in (
        ("results", "--data", str(data)),
        ("check", "README.md"),
        ("forget", "--data", str(data), "--team", "Team2"),
        ("key", "rotate", "--data", str(data)),
        CLIENT_2,
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tandem", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            preexec_fn=limited,
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.stderr.count("\n") == ((done.returncode and words[0] != "check") or 0) or "memory" in done.stderr
        assert "Traceback" not in done.stderr
    assert "Team1" in tandem("results", "--data", str(data), "--format", "csv")[1]
    load_keyring(data)


IGNORED = """
from tandem import __main__ as program
class Lost:
    def __del__(self): raise {error}
def run(arguments):
    Lost()
    return 0
program._run = run
program.run()
"""


@pytest.mark.parametrize(
    ("error", "is_reported"),
    [
        ("MemoryError()", False),
        ("OSError('Signal 2 ignored due to race condition')", False),
        ("OSError(5, 'Input/output error')", True),
        ("ValueError('a bug')", True),
    ],
)
def test_what_python_ignores_is_reported_where_it_matters(error: str, is_reported: bool) -> None:
    """Whether a signal comes in the very moment in which it becomes ignored is up to the system, so it is made up."""
    script = IGNORED.format(error=error)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, error.partition("(")[0] in done.stderr) == (0, is_reported), done.stderr


RAISING = """
from tandem import __main__ as program
def run(arguments): raise {error}
program._run = run
program.run()
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError(24, 'Too many open files', 'key')", "this process may not open more files"),
        ("ImportError('_ssl.so: Too many open files')", "this process may not open more files"),
        (
            "ImportError('no module named _ssl')",
            "a module of this Python cannot be imported: no module named _ssl. Try: ",
        ),
        ("MemoryError()", "there is not enough memory to run: "),
        ("OSError(36, 'File name too long', 'x')", "the operating system reports an error: [Errno 36] File name too"),
    ],
)
def test_an_error_of_the_system_that_no_command_expects_is_one_line(error: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RAISING.format(error=error)], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    assert_one_line(done)
    assert done.stderr.startswith(f"tandem: {words}")
