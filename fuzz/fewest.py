"""The fewest inputs that together reach all that was ever reached: these are kept.

    python3 -m fuzz.fewest reader|diagnosis|loop [FOLDER ...]

makes the kept inputs of a target anew: of those kept so far, of the seeds, and of what is in the folders.
"""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from importlib import import_module
from pathlib import Path
from types import FrameType

from fuzz.kept import TARGETS, folder_of, kept
from fuzz.seeds import SEEDS

MAX_FILES = 300
MAX_BYTES = 300 * 1024
_PACKAGE = str(Path(__file__).parent.parent / "tandem")

Step = tuple[str, int, int, int]  # file, from this line, to this one, about how many times


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m fuzz.fewest", description="make the kept inputs anew")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    for found in options.folders:
        if not found.is_dir():
            parser.error(f"{found} is no folder. Try: build/fuzz/{options.target}/found")
    folder = folder_of(options.target)
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {*kept(options.target), *SEEDS[options.target]()}
    inputs.update(path.read_bytes() for found in options.folders for path in found.iterdir())
    chosen = fewest(import_module(f"fuzz.targets.{options.target}").run, inputs)
    for path in folder.iterdir():
        path.unlink()
    for data in chosen:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{options.target}: {len(chosen)} of {len(inputs):,} inputs, {sum(map(len, chosen)):,} bytes")


def fewest(run: Callable[[bytes], object], inputs: Iterable[bytes]) -> list[bytes]:
    """Those that are needed to take every step that any of them takes, and then, as far as there is room, as often."""
    counted = {data: steps_of(run, data) for data in sorted(inputs, key=lambda data: (len(data), data))}
    taken = {data: {step[:-1] for step in steps} for data, steps in counted.items()}
    return _greedily(counted, _greedily(taken, []))


def _greedily(steps: Mapping[bytes, Set[object]], chosen: list[bytes]) -> list[bytes]:
    """The chosen ones, and more: always the one that adds most for its bytes."""
    known: Set[object] = {step for data in chosen for step in steps[data]}
    left: dict[bytes, Set[object]] = {data: more for data in steps if (more := steps[data] - known)}
    room = MAX_BYTES - sum(map(len, chosen))
    while left and len(chosen) < MAX_FILES:
        best = max(left, key=lambda data: len(left[data]) / (len(data) + 64))
        known = left.pop(best)
        if len(best) <= room:
            room -= len(best)
            chosen = [*chosen, best]
            left = {data: more for data, steps in left.items() if (more := steps - known)}
    return chosen


def steps_of(run: Callable[[bytes], object], data: bytes) -> set[Step]:
    """The steps from line to line that the program takes over an input: 1, 2, 3, 4-7, 8-15 times and so on."""
    counts: Counter[tuple[str, int, int]] = Counter()
    last: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, argument: object) -> object:
        if event == "call" and not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        if event == "line":
            counts[frame.f_code.co_filename, last.get(frame, 0), frame.f_lineno] += 1
            last[frame] = frame.f_lineno
        elif event == "return":
            last.pop(frame, None)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        run(data)
    finally:
        sys.settrace(before)
    return {(*step, times if times < 4 else 1 << times.bit_length() - 1) for step, times in counts.items()}


if __name__ == "__main__":
    main()
