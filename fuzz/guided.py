"""A campaign guided by coverage, run by hand: an input that reaches new code is kept, and changed further.

    python3 -m fuzz.guided reader|diagnosis|loop [--minutes 30] [--seed 20261123]

Begins with the kept inputs in fuzz/corpus/. New ones go to build/fuzz/TARGET/found/ (`python3 -m fuzz.fewest` makes
the kept ones of them); one that breaks a law goes to broken/ beside it, and ends the campaign. Needs what
fuzz/requirements.txt pins.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from fuzz.kept import TARGETS, folder_of

WORK = Path("build/fuzz")
NOT_COUNTED = {  # whose coverage does not count: what is counted is some ten times slower
    "reader": [],
    "diagnosis": [],
    "loop": ["tandem.diagnosis.diagnose"],  # and what it imports: all that the other targets are about
}
LIMITS = {  # as libFuzzer calls them
    "max_len": 4096,  # bytes of an input; what it stands for may be longer
    "len_control": 0,  # long inputs from the start: half an hour is too short to come to them slowly
    "timeout": 20,  # seconds: an input that takes longer is a find, too
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m fuzz.guided", description="fuzz one target, guided by coverage")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    try:
        atheris = importlib.import_module("atheris")  # by name: the type checker need not have it
    except ModuleNotFoundError:
        sys.exit("fuzz.guided: atheris is not installed. Try: pip install --require-hashes -r fuzz/requirements.txt")
    fuzz(atheris, options.target, round(options.minutes * 60), options.seed)


def fuzz(atheris: Any, target: str, seconds: int, seed: int) -> None:
    """Runs the campaign, and ends the program with it."""
    for module in NOT_COUNTED[target]:
        importlib.import_module(module)
    with atheris.instrument_imports(include=["tandem"]):
        run = importlib.import_module(f"fuzz.targets.{target}").run
        words = importlib.import_module("fuzz.seeds").WORDS[target]
    found, broken, dictionary = (WORK / target / name for name in ("found", "broken", "words"))
    found.mkdir(parents=True, exist_ok=True)
    broken.mkdir(exist_ok=True)
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words), encoding="ascii")
    settings = LIMITS | {
        "max_total_time": seconds,
        "seed": seed,
        "dict": dictionary,
        "artifact_prefix": f"{broken}/",
        "print_final_stats": 1,
    }
    told = [f"-{name}={value}" for name, value in settings.items()]
    atheris.Setup([sys.argv[0], *told, str(found), str(folder_of(target))], run)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
