"""Draws the samples of a long run as an SVG, in plain Python.

    python3 bench/picture.py SAMPLES.csv PICTURE.svg

One panel a quantity, all over the same time. The colours follow the reader's light or dark scheme.
"""

import csv
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """The server at one moment. Sizes in bytes; rate in exchanges a second since the sample before."""

    seconds: float
    exchanges: int
    rate: float
    p50_ms: float
    p99_ms: float
    memory: int
    descriptors: int
    threads: int
    database: int
    wal: int


@dataclass(frozen=True)
class Panel:
    """One line over time."""

    title: str
    value: Callable[[Sample], float]


PANELS = (
    Panel("resident memory, MiB", lambda sample: sample.memory / 2**20),
    Panel("open descriptors", lambda sample: sample.descriptors),
    Panel("exchanges a second", lambda sample: sample.rate),
    Panel("write-ahead log, MiB", lambda sample: sample.wal / 2**20),
)

WIDTH, LEFT, RIGHT, TOP = 800, 70, 20, 50
HEIGHT, GAP = 110, 45  # of a panel, and below it

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { stroke: #0969da; stroke-width: 1.8; fill: none; stroke-linejoin: round; }
.paper { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #3d444d; }
  .line { stroke: #4493f8; }
  .paper { fill: #0d1117; }
}
"""


def picture(samples: Sequence[Sample], words: str) -> str:
    """The whole SVG; `words` stand in its title."""
    height = TOP + len(PANELS) * (HEIGHT + GAP)
    longest = samples[-1].seconds / 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>The server over {longest:.0f} minutes: {words}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">The server over {longest:.0f} minutes: {words}</text>',
    ]
    for number, panel in enumerate(PANELS):
        parts += _panel(panel, samples, longest, TOP + number * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, samples: Sequence[Sample], longest: float, top: float) -> list[str]:
    """Its title, a grid with figures on both axes, and the line."""
    values = [panel.value(sample) for sample in samples]
    step = _step(max(*values, 0.001), 4)
    highest = step * math.ceil(max(*values, 0.001) / step)
    minutes = _step(longest, 8)

    def x(minute: float) -> float:
        return LEFT + minute / longest * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return top + HEIGHT - value / highest * HEIGHT

    parts = [f'<text x="{LEFT}" y="{top - 6}">{panel.title}</text>']
    for line in range(round(highest / step) + 1):
        at = y(line * step)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{line * step:,g}</text>')
    for mark in range(math.floor(longest / minutes + 1e-9) + 1):
        unit = " min" if mark == 0 else ""
        at = x(mark * minutes)
        parts.append(f'<text x="{at:.1f}" y="{top + HEIGHT + 16}" text-anchor="middle">{mark * minutes:g}{unit}</text>')
    points = " ".join(
        f"{x(sample.seconds / 60):.1f},{y(value):.1f}" for sample, value in zip(samples, values, strict=True)
    )
    return [*parts, f'<polyline class="line" points="{points}"/>']


def _step(highest: float, most: int) -> float:
    """A round number of which `most` reach the highest value."""
    unit: float = 10.0 ** math.floor(math.log10(highest / most))
    return next(unit * factor for factor in (1, 2, 5, 10, 20) if unit * factor * most >= highest)


def read(path: Path) -> list[Sample]:
    """The samples as bench/soak.py has written them."""
    kinds = Sample.__dataclass_fields__
    with path.open(newline="") as file:
        return [
            Sample(**{name: float(text) if kinds[name].type is float else int(text) for name, text in row.items()})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    drawn = read(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(picture(drawn, f"{drawn[-1].exchanges:,} exchanges"))
