"""Long inputs as short descriptions, what the server's answer to one costs, and the most expensive ones that are kept.

A shape is a row of pieces, each repeated some number of times: what is expensive repeats itself.
"""

import gc
import json
import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tandem.diagnosis.diagnose import Ending, diagnose
from tandem.diagnosis.problem import findings_text
from tandem.protocol.reader import MAX_MESSAGE_BYTES, Reader
from tandem.server.judge import Judgement, judge

ADDRESS = "145.137.54.21"
KEYS = (b"k" * 32,)
KEPT = Path(__file__).parent / "corpus" / "slowest.json"

Shape = tuple[tuple[bytes, int], ...]  # pieces, and how often each is repeated


def data_of(shape: Shape, size: int = MAX_MESSAGE_BYTES) -> bytes:
    """The input that a shape stands for, cut to `size` bytes."""
    return b"".join(piece * min(count, size) for piece, count in shape)[:size]


class Cost(NamedTuple):
    """The cost of one answer."""

    cpu_ms: float  # of the diagnosis, the judgement and the words; not of the reader
    reader_ms: float
    peak_kib: float  # besides the bytes that came
    held_kib: float  # by the judgement, once the diagnosis is over

    def __str__(self) -> str:
        return (
            f"{self.cpu_ms:6.2f} ms, reader {self.reader_ms:5.2f} ms, "
            f"peak {self.peak_kib:6.1f} KiB, held {self.held_kib:5.1f} KiB"
        )


def read(data: bytes) -> Reader:
    """The reader after the bytes have come, and then nothing more."""
    reader = Reader()
    reader.feed(data)
    return reader


def answer(reader: Reader) -> Judgement:
    """Do what the server does with the bytes read, up to the reply and the text for the records."""
    diagnosis = diagnose(reader, Ending.SILENCE, ADDRESS)
    judgement = judge(diagnosis, KEYS, lambda message: None)
    findings_text((*judgement.problems, *judgement.remarks))
    return judgement


def cpu_of(data: bytes, rounds: int) -> tuple[float, float]:
    """Milliseconds of CPU time for the answer and for the reader, the best of some rounds: the machine may be busy."""
    answers, reads = [], []
    gc.disable()  # it would count against the input during which it runs
    for _ in range(rounds):
        began = time.thread_time()
        reader = read(data)
        between = time.thread_time()
        answer(reader)
        answers.append(time.thread_time() - between)
        reads.append(between - began)
    gc.enable()
    return min(answers) * 1000, min(reads) * 1000


def memory_of(data: bytes) -> tuple[float, float]:
    """KiB that the answer takes at its peak, and that are held as long as its judgement."""
    reader = read(data)
    tracemalloc.start()
    try:
        judgement = answer(reader)
        held, peak = tracemalloc.get_traced_memory()
        del judgement
    finally:
        tracemalloc.stop()
    return peak / 1024, held / 1024


def cost_of(data: bytes, rounds: int = 7) -> Cost:
    """All of it. The first run is not counted: it fills the caches."""
    answer(read(data))
    return Cost(*cpu_of(data, rounds), *memory_of(data))


def kept(path: Path = KEPT) -> list[Shape]:
    """The shapes of the file. Bytes are written in it as Latin-1."""
    return [tuple((piece.encode("latin-1"), count) for piece, count in row) for row in json.loads(path.read_text())]


def keep(shapes: Iterable[Shape], path: Path = KEPT) -> None:
    """Writes the file, a shape on each line."""
    rows = [json.dumps([[piece.decode("latin-1"), count] for piece, count in shape]) for shape in shapes]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n")
