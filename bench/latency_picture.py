"""Draw the latency of a `tandem bench` run as an SVG.

    python3 bench/latency_picture.py RUN.json PICTURE.svg

RUN.json is the file that `tandem bench --output` writes. The picture shows time over percentile. The axis of
percentiles is logarithmic in the share above: 90 %, 99 % and 99.9 % are equally far apart, because servers differ in
their slowest replies. The colours follow the reader's light or dark scheme.
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 800, 420, 70, 110, 60, 60
MIN_NINES = 2  # the axis reaches at least 99 %
LABEL_HEIGHT = 16  # at least, between the names of two curves

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { stroke-width: 2; fill: none; stroke-linejoin: round; }
.of0 { stroke: #0969da; } .of1 { stroke: #1a7f37; } .of2 { stroke: #bf3989; }
text.of0 { fill: #0969da; stroke: none; } text.of1 { fill: #1a7f37; stroke: none; }
text.of2 { fill: #bf3989; stroke: none; }
.paper { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #3d444d; }
  .of0 { stroke: #4493f8; } .of1 { stroke: #3fb950; } .of2 { stroke: #f778ba; }
  text.of0 { fill: #4493f8; } text.of1 { fill: #3fb950; } text.of2 { fill: #f778ba; }
  .paper { fill: #0d1117; }
}
"""


@dataclass(frozen=True)
class Distribution:
    """Distribution of the times of one kind: the highest value of each bucket in microseconds, and its count."""

    buckets: list[tuple[int, int]]

    @property
    def count(self) -> int:
        return sum(count for _, count in self.buckets)

    @property
    def max_us(self) -> int:
        return self.buckets[-1][0] if self.buckets else 0


def picture(run: dict[str, Any]) -> str:
    """Draw the whole SVG: a curve for the exchanges and one for each visit."""
    distributions = {
        name: Distribution([(highest, count) for highest, count in buckets])
        for name, buckets in run["distribution_us"].items()
    }
    max_count = max(times.count for times in distributions.values())
    chart = _Chart(max(times.max_us for times in distributions.values()), max(MIN_NINES, math.log10(max(1, max_count))))
    title = f"{run['finished']:,} exchanges with {run['server']}, {run['exchanges_per_second']:,.0f} a second"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
            f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>',
            f'<text x="{LEFT}" y="48">latency in ms, up to the percentile below</text>',
            *chart.grid(),
            *chart.curves(distributions),
            "</svg>",
            "",
        ]
    )


class _Chart:
    """The two axes: milliseconds upwards, nines to the right (2 is 99 %)."""

    def __init__(self, max_us: int, nines: float) -> None:
        max_ms = max(max_us, 1) / 1000
        self._step_ms = _round_step(max_ms, 6)
        self._top_ms = self._step_ms * math.ceil(max_ms / self._step_ms)
        self._nines = nines

    def grid(self) -> Iterator[str]:
        """Draw the lines behind the curves, each with its figure."""
        for line in range(round(self._top_ms / self._step_ms) + 1):
            y = self._y(line * self._step_ms)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{line * self._step_ms:,g}</text>'
        for percent in (50.0, *(100 - 100 / 10**nines for nines in range(math.floor(self._nines) + 1))):
            x = self._x(-math.log10(1 - percent / 100))
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{percent:.9g} %</text>'

    def curves(self, distributions: dict[str, Distribution]) -> Iterator[str]:
        """Draw a curve for each distribution, and its name at its end. Names do not overlap."""
        label_y = {name: self._y(times.max_us / 1000) for name, times in distributions.items()}
        lowest_free_y: float = HEIGHT - BOTTOM
        for name in sorted(label_y, key=lambda name: label_y[name], reverse=True):
            label_y[name] = lowest_free_y = min(label_y[name], lowest_free_y - LABEL_HEIGHT)
        for number, (name, times) in enumerate(distributions.items()):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in self._points(times))
            yield f'<polyline class="line of{number}" points="{points}"/>'
            x, y = WIDTH - RIGHT + 8, label_y[name] + 4
            yield f'<text class="of{number}" x="{x}" y="{y:.1f}">{escape(name)}</text>'

    def _points(self, times: Distribution) -> Iterator[tuple[float, float]]:
        """Yield a step for each bucket: from the share below it to the share up to it."""
        below = 0
        for highest_us, count in times.buckets:
            y = self._y(highest_us / 1000)
            yield self._x(_nines(below, times.count)), y
            below += count
            if below < times.count:
                yield self._x(_nines(below, times.count)), y
            else:
                yield self._x(self._nines), y

    def _x(self, nines: float) -> float:
        return LEFT + nines / self._nines * (WIDTH - LEFT - RIGHT)

    def _y(self, milliseconds: float) -> float:
        return HEIGHT - BOTTOM - milliseconds / self._top_ms * (HEIGHT - BOTTOM - TOP)


def _nines(below: int, count: int) -> float:
    """Return how many nines the share has: 90 of 100 is 1, 99 of 100 is 2."""
    return -math.log10(1 - below / count)


def _round_step(highest: float, max_steps: int) -> float:
    """Return a round number of which at most `max_steps` reach the highest value."""
    unit: float = 10.0 ** math.floor(math.log10(highest / max_steps))
    return next(unit * factor for factor in (1, 2, 5, 10, 20) if unit * factor * max_steps >= highest)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_text(picture(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), encoding="utf-8")
