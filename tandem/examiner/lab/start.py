"""Starts a lab as a process of its own, in namespaces that vanish with it, and says what is missing for that.

All that the lab makes (hosts, processes, mounts) is in these namespaces: nothing is left behind, however it ends.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tandem
from tandem.examiner.lab.hosts.namespaces import is_in_user_namespace
from tandem.examiner.order import LabOrder
from tandem.examiner.order_file import write_order

NAMESPACES = ("--mount", "--mount-proc", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL")
SYSTEM_FOLDERS = "/usr/sbin:/sbin"  # where `ip` may be, and users may not look

# command -> the package of Debian and Ubuntu that has it
LOCAL_COMMANDS = {"prlimit": "util-linux", "setpriv": "util-linux"}
COMMANDS = {
    **LOCAL_COMMANDS,
    "unshare": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
    "bwrap": "bubblewrap",
}
NO_NAMESPACES = (
    "the system does not let users make namespaces: allow it (sysctl kernel.unprivileged_userns_clone=1,"
    " on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0, for a container docker run --privileged)"
)


def start_lab(order: LabOrder, folder: Path) -> subprocess.Popen[bytes]:
    """Start one run. Its record is complete when the process has ended with 0.

    The lab ends early when its standard input is closed (as `communicate` does), so also with the caller.

    Args:
        order: What to do.
        folder: The record folder, which must exist. The order is written there, too.

    Raises:
        OSError: the folder cannot be written, or nothing can be started.
    """
    write_order(folder, order)
    prefix = ("unshare", *_user(), *NAMESPACES) if order.isolated else ()
    return subprocess.Popen(
        (*prefix, sys.executable, "-m", "tandem.examiner.lab", str(folder.resolve())),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=Path(tandem.__file__).parents[1],
        env=_environment(),
    )


def missing(isolated: bool = True) -> list[str]:
    """Return what is missing here for a lab, with hosts of its own or without: a sentence each, none if it works."""
    if sys.platform != "linux":
        return ["programs are run on Linux only"]
    path = _environment()["PATH"]
    wanted = COMMANDS if isolated else LOCAL_COMMANDS
    if lacking := [name for name in wanted if shutil.which(name, path=path) is None]:
        packages = " ".join(sorted({wanted[name] for name in lacking}))
        return [f"{', '.join(lacking)} missing: apt install {packages}"]
    trials = (
        ("unshare", *_user(), *NAMESPACES, "true"),
        (*_nobody(), "bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"),
    )
    return [] if not isolated or all(map(_works, trials)) else [NO_NAMESPACES]


def _user() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("--user", "--map-root-user")


def _nobody() -> tuple[str, ...]:
    if os.geteuid() != 0 or is_in_user_namespace():
        return ()
    return ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def _works(command: tuple[str, ...]) -> bool:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), cwd="/", check=False
    )
    return done.returncode == 0


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"}
