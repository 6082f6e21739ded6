"""The limit of open descriptors: as many as are wanted, never more than the system allows."""

import subprocess
import sys

import pytest

from testing.processes import ROOT

resource = pytest.importorskip("resource", reason="this system has no such limit")

SCRIPT = """
import resource
from tandem.net.descriptors import max_connections, raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print({call}, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
CASES = {
    "raised to what is wanted": ("raise_descriptor_limit(200)", 100, 400, "200 200 400"),
    "raised to what there is": ("raise_descriptor_limit(500)", 100, 400, "400 400 400"),
    "high enough": ("raise_descriptor_limit(50)", 100, 400, "50 100 400"),
    "all connections": ("max_connections(200)", 100, 400, "200 264 400"),
    "all that fit": ("max_connections(500)", 100, 400, "336 400 400"),
    "half of a small limit": ("max_connections(500)", 50, 100, "50 100 100"),
}


@pytest.mark.parametrize(("call", "soft", "hard", "result"), CASES.values(), ids=CASES.keys())
def test_the_limit_is_raised(call: str, soft: int, hard: int, result: str) -> None:
    script = SCRIPT.format(call=call, soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == result


def test_a_system_that_refuses_leaves_the_limit_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from tandem.net.descriptors import raise_descriptor_limit

    def refuse(what: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr("resource.getrlimit", lambda what: (100, 400))
    monkeypatch.setattr("resource.setrlimit", refuse)
    assert raise_descriptor_limit(200) == 100
