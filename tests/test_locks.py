"""The locks of packages are complete, have hashes, and agree with pyproject.toml; `make audit` fails closed."""

import json
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from testing.processes import LIMIT, ROOT

LOCKS = sorted(
    path.relative_to(ROOT) for folder in (".", "bench", "fuzz") for path in ROOT.glob(f"{folder}/*ments*.txt")
)
PIN = re.compile(r"([\w.-]+)(\[[\w,]+\])?==([\w.]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
VULNERABILITY = {
    "vulns": [
        {
            "id": "PYSEC-2026-1",
            "summary": "made up",
            "affected": [{"package": {"name": "uvloop", "ecosystem": "PyPI"}, "versions": ["0.23.0"]}],
        }
    ]
}


def pins(text: str) -> dict[str, str]:
    """The version of each package of a lock or of its .in file."""
    lines = [line for line in text.splitlines() if line[:1].isalnum()]
    found = [PIN.match(line) for line in lines]
    assert all(found), lines
    return {_normal(pin[1]): pin[3] for pin in found if pin}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_makefile_names_every_lock() -> None:
    [value] = re.findall(r"^LOCKS := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(map(Path, value.replace("\\\n", " ").split())) == LOCKS


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_a_lock_has_hashes_and_what_its_in_file_wants(lock: Path) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = re.sub(r" *#.*", "", text.replace("\\\n", " ")).split("\n")
    for package in filter(str.strip, packages):
        pin, *hashes = package.split()
        assert PIN.fullmatch(pin), package
        assert hashes, package
        assert all(HASH.fullmatch(given) for given in hashes), package
    wanted = pins((ROOT / lock).with_suffix(".in").read_text(encoding="utf-8"))
    assert wanted
    assert wanted.items() <= pins(text).items(), "run: make locks"


def test_a_package_has_one_version_in_all_locks() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins((ROOT / lock).read_text(encoding="utf-8")).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("extra", ["board", "postgres"])
def test_an_extra_has_the_versions_of_its_lock(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = pins("\n".join(project["optional-dependencies"][extra]))
    assert wanted == pins((ROOT / f"requirements-{extra}.in").read_text(encoding="utf-8"))


@contextmanager
def vulnerability_service(status: int, body: object) -> Iterator[str]:
    """A service that gives the same answer for every package. Yields its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            encoded = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """An address that refuses every connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def audit(sbom: Path, service: str, *more: str, lock: Path = ROOT / "bench" / "requirements.txt") -> tuple[int, str]:
    """The exit code and the output of `make audit` with this Python."""
    options = f"--vulnerability-service osv --osv-url {service}"
    variables = (f"BIN={Path(sys.executable).parent}", f"SBOM={sbom}", f"AUDIT_OPTIONS={options}", f"LOCKS={lock}")
    command = ["make", "--silent", "--old-file=.venv/installed", "audit", *variables, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.needs_extra
def test_an_audit_that_finds_nothing_passes_and_writes_the_sbom(tmp_path: Path) -> None:
    sbom = tmp_path / "build" / "sbom.json"
    with vulnerability_service(200, {}) as service:
        locks = " ".join(map(str, LOCKS))
        code, output = audit(sbom, service, f"LOCKS={locks}")
    assert code == 0, output
    bill = json.loads(sbom.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    every = {pin for lock in LOCKS for pin in pins((ROOT / lock).read_text(encoding="utf-8")).items()}
    assert {(_normal(part["name"]), part["version"]) for part in bill["components"]} == every


@pytest.mark.needs_extra
@pytest.mark.parametrize(("status", "body"), [(200, VULNERABILITY), (404, {}), (500, {}), (200, "nonsense")])
def test_an_audit_fails_unless_the_service_says_that_all_is_well(status: int, body: object, tmp_path: Path) -> None:
    with vulnerability_service(status, body) as service:
        code, output = audit(tmp_path / "sbom.json", service)
    assert code != 0, output


@pytest.mark.needs_extra
def test_an_audit_fails_closed_without_its_service_and_leaves_no_old_sbom(tmp_path: Path) -> None:
    sbom = tmp_path / "sbom.json"
    sbom.write_text("of the last audit")
    with closed_port() as service:
        code, output = audit(sbom, service)
    assert code != 0
    assert "refused" in output
    assert not sbom.exists()


@pytest.mark.needs_extra
def test_a_package_that_cannot_be_audited_is_a_failure(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"some @ http://127.0.0.1/some-1.0-py3-none-any.whl --hash=sha256:{64 * '0'}\n")
    with vulnerability_service(200, {}) as service:
        code, output = audit(tmp_path / "sbom.json", service, lock=lock)
    assert code != 0
    assert "some" in output
