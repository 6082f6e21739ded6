"""The packets of a capture file as tshark reads them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from testing.processes import LIMIT

CHECKED = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")


def packets_in(file: Path, *fields: str) -> list[list[str]]:
    """Return the fields of each packet. Skip the test where there is no tshark."""
    command = shutil.which("tshark")
    if command is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("tshark is missing: apt install tshark")
    words = (command, "-r", str(file), *CHECKED, "-T", "fields", *(word for field in fields for word in ("-e", field)))
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=LIMIT)
    return [line.split("\t") for line in done.stdout.splitlines()]
