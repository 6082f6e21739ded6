"""The picture of a run's latency, drawn from the JSON of `tandem bench`. Nothing is measured here."""

import json
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from bench.latency_picture import picture
from tandem.bench.summary import render
from testing.bench_runs import run_of

SVG = "{http://www.w3.org/2000/svg}"


def figures(times: list[int], **changed: object) -> dict[str, Any]:
    """What `tandem bench --output` writes."""
    found: dict[str, Any] = json.loads("".join(render(run_of(times, **changed), "json")))
    return found


@given(st.lists(st.integers(0, 10**8)))
def test_curves_rise_within_the_picture(times: list[int]) -> None:
    curves = list(ElementTree.fromstring(picture(figures(times))).iter(f"{SVG}polyline"))
    assert len(curves) == 3
    for curve in curves:
        points = [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
        assert points == sorted(points, key=lambda point: (point[0], -point[1]))  # to the right, and never down
        assert all(0 <= x <= 800 and 0 <= y <= 420 for x, y in points)


def test_has_a_curve_for_the_exchange_and_each_visit() -> None:
    drawn = ElementTree.fromstring(picture(figures([1000, 2000, 90_000], server='<&">:1')))
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 3
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"exchange", "visit 1", "visit 2", "50 %", "90 %", "99 %"} <= set(texts)
    assert any('<&">:1' in str(text) for text in texts)
