"""The CPU time of a server: threads that have ended and children count."""

import pytest

from bench.vitals import cpu_time
from tandem.bench.processes import NoSuchProcessError
from testing.processes import process

BURN = """
import subprocess, sys, threading, time

def burn():
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass

thread = threading.Thread(target=burn)
thread.start()
thread.join()
if "child" in sys.argv:
    burn()
    print("done", flush=True)
else:
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[1], "child"], stdin=subprocess.PIPE)
    child.wait()
if "child" in sys.argv:
    sys.stdin.read()  # until the one that started it has ended
"""


def test_threads_and_children_count() -> None:
    with process("-c", BURN, BURN) as started:
        started.wait_for("done")
        used = cpu_time(started.pid)
    assert used.total >= 0.6  # three times 0.2
    assert used.total == pytest.approx(used.user + used.system, abs=0.1)  # those are counted in hundredths


def test_nothing_is_known_of_a_process_that_is_over() -> None:
    with process("-c", "") as started:
        started.wait()
        with pytest.raises(NoSuchProcessError):
            cpu_time(started.pid)
