"""The sandbox of a program: a read-only system, a home with its copy of the submission, and nothing else.

Owns the command line of bubblewrap and the folders that it binds. The programs see no other process, none of the
record, and run without any right, also when the lab runs as root.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tandem.examiner.lab.namespaces import is_in_user_namespace
from tandem.examiner.order import Limits

WORK = Path("/sys")  # the lab has a mount namespace of its own and needs no /sys: what it mounts hides no one's files
PYTHON = WORK / "python"  # where sys.base_prefix is bound, which others than root may be unable to reach
HOME = "/home/student"
FOLDER = f"{HOME}/submission"
NAMES = "/run/bin"  # python, python3 and so on are found here first
USER = 1000  # inside
NOBODY = 65534  # outside, if the lab runs as root

MAX_FILES = 10_000  # in the home and /tmp of one program together
MAX_DESCRIPTORS = 256
CPU_SPARE_S = 2  # the lab stops a program before the system does, and says why
ADDRESS_SPACE_FACTOR = 4  # threads reserve far more than they use; what is used is watched by the lab

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/ssl", "/etc/mime.types")
_WRITTEN = {
    "passwd": f"root:x:0:0::/root:/bin/sh\nstudent:x:{USER}:{USER}::{HOME}:/bin/sh\n",
    "group": f"root:x:0:\nstudent:x:{USER}:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "resolv.conf": "",
}


@dataclass(frozen=True)
class Sandbox:
    """The folders of one program, ready to be bound."""

    folder: Path  # with home, tmp, shm and etc
    host_name: str
    limits: Limits

    def command(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command line that runs `words` inside."""
        bwrap = ("bwrap", *_NAMESPACES, "--hostname", self.host_name, *_system(), *self._own(), *_environment())
        return (*_drop_root(), *bwrap, "--", *rlimits(self.limits), *words)

    def _own(self) -> tuple[str, ...]:
        binds = (("home", HOME), ("tmp", "/tmp"), ("shm", "/dev/shm"))
        written = ((f"etc/{name}", f"/etc/{name}") for name in (*_WRITTEN, "hosts", "hostname"))
        return (
            *(word for source, target in binds for word in ("--bind", str(self.folder / source), target)),
            *(word for source, target in written for word in ("--ro-bind", str(self.folder / source), target)),
            *("--remount-ro", "/dev", "--remount-ro", "/"),
        )


_NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--uid", str(USER), "--gid", str(USER), "--cap-drop", "ALL", "--new-session", "--die-with-parent"),
)


def mount_work_folder() -> None:
    """Make WORK an empty folder of the lab's own, and bind Python below it.

    Raises:
        subprocess.CalledProcessError: the system does not allow it.
    """
    _mount("-t", "tmpfs", "-o", "mode=755,size=64m", "lab", str(WORK))
    PYTHON.mkdir()
    _mount("--bind", sys.base_prefix, str(PYTHON))


def new_sandbox(
    name: str, submission: Path, files: dict[str, str], hosts: str, host_name: str, limits: Limits
) -> Sandbox:
    """Make the folders of a program, of limited size, with a copy of the submission.

    Raises:
        OSError: the submission cannot be copied, for example because it is larger than its limit.
    """
    folder = WORK / name
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"mode=755,size={limits.disk_mib}m,nr_inodes={MAX_FILES}", name, str(folder))
    for part in ("home", "tmp", "shm", "etc"):
        (folder / part).mkdir()
    copy_submission(submission, files, folder / "home" / "submission")
    for etc, text in (_WRITTEN | {"hosts": hosts, "hostname": f"{host_name}\n"}).items():
        (folder / "etc" / etc).write_text(text, encoding="utf-8")
    _give_away(folder)
    return Sandbox(folder, host_name, limits)


def copy_submission(submission: Path, files: dict[str, str], target: Path) -> None:
    """Copy a submission into a new folder, and write files into the copy. Links stay links.

    Raises:
        OSError: it cannot be copied.
    """
    shutil.copytree(submission, target, symlinks=True, ignore=_not_a_file)
    for name, text in files.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # it may be a link to somewhere else
        file.write_text(text, encoding="utf-8")


def _not_a_file(folder: str, names: list[str]) -> set[str]:
    """Return what a copy leaves out: pipes, sockets and devices."""
    paths = {name: Path(folder, name) for name in names}
    return {name for name, path in paths.items() if not (path.is_symlink() or path.is_file() or path.is_dir())}


def _give_away(folder: Path) -> None:
    """Let the user of the program own its folders. In a user namespace without that user, it is root inside."""
    for parent, _, names in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in names)):
            os.chown(path, *_outside_user(), follow_symlinks=False)


def _outside_user() -> tuple[int, int]:
    return (0, 0) if is_in_user_namespace() else (NOBODY, NOBODY)


def _drop_root() -> tuple[str, ...]:
    """Return the command that drops all rights. In a user namespace there are none to drop."""
    user = str(NOBODY)
    return () if is_in_user_namespace() else ("setpriv", "--reuid", user, "--regid", user, "--clear-groups")


def _system() -> tuple[str, ...]:
    """Return the options for the read-only system. Links such as /bin -> usr/bin stay links."""
    options: list[str] = []
    for path in _SYSTEM:
        if os.path.islink(path):
            options += ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            options += ("--ro-bind", path, path)
    for path in _SETTINGS:
        options += ("--ro-bind-try", path, path)
    if not sys.base_prefix.startswith("/usr"):
        options += ("--ro-bind", str(PYTHON), sys.base_prefix)
    python = f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in ("python", "python3"):
        options += ("--symlink", python, f"{NAMES}/{name}")
    return (*options, "--proc", "/proc", "--dev", "/dev")


def _environment() -> tuple[str, ...]:
    variables = {
        "HOME": HOME,
        "USER": "student",
        "PATH": f"{NAMES}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONUNBUFFERED": "1",
    }
    settings = (word for name, value in variables.items() for word in ("--setenv", name, value))
    return ("--clearenv", *settings, "--chdir", FOLDER)


def rlimits(limits: Limits) -> tuple[str, ...]:
    """Return the command that sets limits. In a sandbox it runs inside, where processes of others do not count."""
    return (
        "prlimit",
        f"--as={ADDRESS_SPACE_FACTOR * limits.memory_mib << 20}",
        f"--nproc={limits.processes}",
        f"--cpu={limits.cpu_seconds + CPU_SPARE_S}",
        f"--fsize={limits.disk_mib << 20}",
        f"--nofile={MAX_DESCRIPTORS}",
        "--core=0",
        "--",
    )


def _mount(*words: str) -> None:
    subprocess.run(("mount", *words), check=True, capture_output=True)
