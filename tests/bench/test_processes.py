"""CPU time of processes, as /proc has it."""

import os
import subprocess
import sys

import pytest

from tandem.bench.processes import CpuTime, NoSuchProcessError, cpu_of, ended_processes
from testing.processes import process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")

CPU_TIME_S = 0.2
WORK = f"import time\nwhile time.process_time() < {CPU_TIME_S}: pass\n"
STAY = "print('worked', flush=True)\nimport threading\nthreading.Event().wait()\n"
THREAD = f"import threading\nthread = threading.Thread(target=exec, args=({WORK!r},))\nthread.start()\nthread.join()\n"
CHILD_OVER = f"import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {WORK!r}], check=True)\n"
# The child stays until the parent is killed: then its standard input ends.
CHILD_RUNNING = (
    "import subprocess, sys\n"
    f"program = {WORK!r} + \"print('.', flush=True)\\nimport sys\\nsys.stdin.read()\"\n"
    "child = subprocess.Popen([sys.executable, '-S', '-c', program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "child.stdout.read(1)\n"
)


@pytest.mark.parametrize("program", [WORK, THREAD, CHILD_OVER, CHILD_RUNNING], ids=["own", "thread", "over", "running"])
def test_counts_what_a_process_and_its_children_have_used(program: str) -> None:
    with process("-S", "-c", program + STAY) as working:
        working.wait_for("worked")
        assert cpu_of([working.pid]).total >= 0.9 * CPU_TIME_S


def test_counts_only_the_processes_that_are_named() -> None:
    with process("-S", "-c", CHILD_RUNNING + STAY) as parent, process("-S", "-c", STAY) as other:
        parent.wait_for("worked")
        other.wait_for("worked")
        assert cpu_of([other.pid]).total < cpu_of([parent.pid]).total
        together = cpu_of([parent.pid, other.pid, other.pid]).total
        assert together == pytest.approx(cpu_of([parent.pid]).total + cpu_of([other.pid]).total)


def test_since() -> None:
    assert CpuTime(3.0, 5.0).since(CpuTime(1.0, 2.0)) == CpuTime(2.0, 3.0)


def test_which_have_ended() -> None:
    """Also one that its parent has not taken note of yet."""
    with process("-S", "-c", STAY) as running:
        running.wait_for("worked")
        over = subprocess.Popen([sys.executable, "-S", "-c", ""], stdout=subprocess.PIPE)
        assert over.stdout
        with over.stdout:
            over.stdout.read()
        os.waitid(os.P_PID, over.pid, os.WEXITED | os.WNOWAIT)
        assert ended_processes([over.pid, running.pid, over.pid]) == (over.pid,)
        over.wait()
        assert ended_processes([running.pid, over.pid]) == (over.pid,)


def test_a_process_that_is_over_is_not_known() -> None:
    done = subprocess.Popen([sys.executable, "-S", "-c", ""])
    done.wait()
    with pytest.raises(NoSuchProcessError) as failure:
        cpu_of([done.pid])
    assert failure.value.pid == done.pid
