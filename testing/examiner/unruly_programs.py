"""Programs that a lab must survive, with what becomes of each: source -> how it is stopped, or "" if it ends by itself.

The last line of those that end says what they found.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unruly:
    """A program, and what has to become of it."""

    source: str
    stopped: str = ""
    last_line: str = ""


SPINS = """
while True:
    pass
"""

FLOODS = """
while True:
    print("x" * 1000)
"""

FORKS = """
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        time.sleep(1000)
"""

EATS_MEMORY = """
kept = []
while True:
    kept.append(bytearray(8 << 20))
"""

FILLS_THE_DISK = """
import os
full = []
for folder in (".", "/tmp", os.environ["HOME"], "/dev/shm"):
    try:
        with open(os.path.join(folder, "big"), "wb", buffering=0) as file:
            while file.write(bytes(1 << 20)):
                pass
    except OSError as error:
        full.append(error.errno)
print(len(full), "full")
"""

TRIES_THE_INTERNET = """
import socket
reached = []
for host in ("1.1.1.1", "example.org", "192.168.1.1"):
    try:
        reached.append(socket.create_connection((host, 80), 1))
    except OSError:
        pass
print(len(reached), "reached")
"""

KILLS_ITS_PARENT = """
import os, signal
for pid in (os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
print("still here")
"""

LOOKS_FOR_THE_RECORD = """
import os
found = 0
for folder, folders, names in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("usr", "proc", "lib", "lib64")]
    found += sum(name in ("events.jsonl", "order.json", "capture.pcapng") for name in names)
    try:
        open(os.path.join(folder, "events.jsonl"), "x").close()
    except OSError:
        continue
    if not folder.startswith(("/home/student", "/tmp", "/dev/shm", "/dev/mqueue")):
        print("wrote in", folder)
print(found, "found")
"""

STAYS_BEHIND = """
import os, signal, time
for number in range(1, 65):
    if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
        signal.signal(number, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
print("left")
"""

UNRULY = {
    "spins": Unruly(SPINS, stopped="time"),
    "floods": Unruly(FLOODS, stopped="output"),
    "forks": Unruly(FORKS, stopped="processes"),
    "eats memory": Unruly(EATS_MEMORY, stopped="memory"),
    "fills the disk": Unruly(FILLS_THE_DISK, last_line="4 full"),
    "tries the internet": Unruly(TRIES_THE_INTERNET, last_line="0 reached"),
    "kills its parent": Unruly(KILLS_ITS_PARENT, last_line="still here"),
    "looks for the record": Unruly(LOOKS_FOR_THE_RECORD, last_line="0 found"),
    "stays behind": Unruly(STAYS_BEHIND, last_line="left"),
}
