"""Draws how the latency of a run is distributed, as an SVG: time over percentile, the last nines as wide as the first.

The axis of percentiles is the logarithm of what lies above: 90 %, 99 %, 99.9 % stand equally far apart, because it
is among the slowest that servers differ. The colours follow the reader's light or dark scheme.
"""

import math
from collections.abc import Iterator
from html import escape

from tandem.bench.histogram import Histogram
from tandem.bench.summary import Run

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 800, 420, 70, 110, 60, 60
FEWEST_NINES = 2  # the axis reaches at least to 99 %
LABEL = 16  # from one line's name to the next, at least

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


def picture(run: Run) -> str:
    """The whole SVG: a line for the exchanges and one for each visit."""
    counted = run.tally.times
    most = max(times.count for times in counted.values())
    chart = _Chart(max(times.greatest for times in counted.values()), max(FEWEST_NINES, math.log10(max(1, most))))
    title = f"{run.tally.finished:,} exchanges with {run.server}, {run.rate:,.0f} a second"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
            f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>',
            f'<text x="{LEFT}" y="48">latency in ms, up to the percentile below</text>',
            *chart.grid(),
            *chart.lines(counted),
            "</svg>",
            "",
        ]
    )


class _Chart:
    """The two axes: microseconds upwards, nines to the right (2 is 99 %)."""

    def __init__(self, greatest: int, nines: float) -> None:
        self._step = _round_step(max(greatest, 1) / 1000, 6)
        self._highest = self._step * math.ceil(max(greatest, 1) / 1000 / self._step)
        self._nines = nines

    def grid(self) -> Iterator[str]:
        """The lines behind the curves, each with its figure."""
        for line in range(round(self._highest / self._step) + 1):
            y = self._y(line * self._step)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{line * self._step:,g}</text>'
        for percent in (50.0, *(100 - 100 / 10**nines for nines in range(math.floor(self._nines) + 1))):
            x = self._x(-math.log10(1 - percent / 100))
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{percent:.9g} %</text>'

    def lines(self, counted: dict[str, Histogram]) -> Iterator[str]:
        """A curve for each, and its name where it ends, out of the way of the others'."""
        ends = {name: self._y(times.greatest / 1000) for name, times in counted.items()}
        room: float = HEIGHT - BOTTOM
        for name in sorted(ends, key=lambda name: ends[name], reverse=True):
            ends[name] = room = min(ends[name], room - LABEL)
        for number, (name, times) in enumerate(counted.items()):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in self._curve(times))
            yield f'<polyline class="line of{number}" points="{points}"/>'
            yield f'<text class="of{number}" x="{WIDTH - RIGHT + 8}" y="{ends[name] + 4:.1f}">{escape(name)}</text>'

    def _curve(self, times: Histogram) -> Iterator[tuple[float, float]]:
        """Steps: from the share below a time to the share up to it."""
        below = 0
        for highest, count in times.buckets():
            y = self._y(highest / 1000)
            yield self._x(_nines(below, times.count)), y
            below += count
            if below < times.count:
                yield self._x(_nines(below, times.count)), y
            else:
                yield self._x(self._nines), y

    def _x(self, nines: float) -> float:
        return LEFT + nines / self._nines * (WIDTH - LEFT - RIGHT)

    def _y(self, milliseconds: float) -> float:
        return HEIGHT - BOTTOM - milliseconds / self._highest * (HEIGHT - BOTTOM - TOP)


def _nines(below: int, count: int) -> float:
    """How many nines the share has: 90 of 100 is 1, 99 of 100 is 2."""
    return -math.log10(1 - below / count)


def _round_step(highest: float, most: int) -> float:
    """A round number of which `most` reach the highest value."""
    unit: float = 10.0 ** math.floor(math.log10(highest / most))
    return next(unit * factor for factor in (1, 2, 5, 10, 20) if unit * factor * most >= highest)
