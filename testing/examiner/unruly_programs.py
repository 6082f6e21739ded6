"""Small programs that a lab must survive: some are stopped, some look for a way out and end by themselves."""

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
full = 0
for folder in (".", "/tmp", os.environ["HOME"], "/dev/shm"):
    path = os.path.join(folder, "big")
    try:
        with open(path, "wb", buffering=0) as file:
            while file.write(bytes(1 << 20)):
                pass
    except OSError:
        full += 1
    os.remove(path)
print(full, "full")
"""

TRIES_THE_INTERNET = """
import socket
reached = 0
for host in ("1.1.1.1", "example.org"):
    try:
        socket.create_connection((host, 80), 0.5).close()
        reached += 1
    except OSError:
        pass
print(reached, "reached")
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
    path = os.path.join(folder, "events.jsonl")
    try:
        open(path, "x").close()
    except OSError:
        continue
    os.remove(path)
    if not folder.startswith(("/home/student", "/tmp", "/dev/shm", "/dev/mqueue")):
        print("wrote in", folder)
print(found, "found")
"""

LOOKS_AROUND = """
import os, socket
others = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) > 4]
own = socket.gethostbyname(socket.gethostname())
print(len(others), "other processes, user", os.getuid() and "without rights", "at", own)
"""

STAYS_BEHIND = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
print("left")
"""

# name -> source, why it is stopped
STOPPED = {
    "spins": (SPINS, "time"),
    "floods": (FLOODS, "output"),
    "forks": (FORKS, "processes"),
    "eats memory": (EATS_MEMORY, "memory"),
}

# name -> source, what it says at its end
ENDS_BY_ITSELF = {
    "fills the disk": (FILLS_THE_DISK, "4 full"),
    "tries the internet": (TRIES_THE_INTERNET, "0 reached"),
    "kills its parent": (KILLS_ITS_PARENT, "still here"),
    "looks for the record": (LOOKS_FOR_THE_RECORD, "0 found"),
    "looks around": (LOOKS_AROUND, "0 other processes, user without rights at 10.0.0.11"),
    "stays behind": (STAYS_BEHIND, "left"),
}
