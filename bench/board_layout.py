"""Measures how the tiles of a class stand on one screen, in a browser.

    python3 -m bench.board_layout [SEED]

For 1 to 60 teams, and for 80 to 300 in steps of 20, on three screens, in two fonts. It prints the table of
docs/board.md, in which each figure is the worst one of its row. Exit code 1 if a layout is not as that page says.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from testing.boards import running_board, write_records
from testing.browsing import DRAWN, PAGES, screen
from testing.tile_layouts import FONTS, Layout, lesson, measure, team_names, use_font

SCREENS: Sequence[ViewportSize] = (
    {"width": 1920, "height": 1080},
    {"width": 1366, "height": 768},
    {"width": 3840, "height": 2160},
)
GROUPS = (range(1, 12), range(12, 31), range(31, 61), range(80, 161, 20), range(180, 301, 20))


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    teams = [f"{group[0]}-{group[-1]}" for group in GROUPS]
    print(f"| screen and font | type in px: {' | '.join(teams)} teams | names cut | alike, clipped | height unused |")
    print(f"|---|{'--:|' * len(teams)}---|--:|--:|")
    faults = 0
    for size, font, groups in _measured(seed):
        print(_row(size, font, groups))
        for layout in (layout for layouts in groups for layout in layouts):
            for fault in layout.faults():
                faults += 1
                print(f"{layout.teams} teams at {size['width']}x{size['height']} in {font}: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _measured(seed: int) -> Iterator[tuple[ViewportSize, str, list[list[Layout]]]]:
    """Yield the layouts of all groups, on each screen, in each font."""
    with tempfile.TemporaryDirectory(prefix="tandem-layout-") as place, sync_playwright() as playwright:
        write_records(Path(place), *lesson(team_names(max(GROUPS[-1]), seed), int(time.time() * 1e6)))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with running_board(Path(place)) as running, screen(browser, running.url) as projector:
            PAGES["class"](projector)
            for size in SCREENS:
                projector.page.set_viewport_size(size)
                projector.page.evaluate(DRAWN)
                for font in FONTS:
                    use_font(projector.page, font)
                    yield size, font, [[measure(projector.page, teams) for teams in group] for group in GROUPS]
        browser.close()


def _row(size: ViewportSize, font: str, groups: Sequence[Sequence[Layout]]) -> str:
    """Return a row of the table: the range of each group, and the worst of all."""
    types = [[round(layout.size * size["height"]) for layout in layouts] for layouts in groups]
    layouts = [layout for group in groups for layout in group]
    cells = (
        f"{size['width']}x{size['height']}, {font}",
        *(f"{max(group)}-{min(group)}" for group in types),
        ", ".join(f"{layout.cut} of {layout.teams}" for layout in layouts if layout.cut and layout.teams % 60 == 0)
        or "none",
        max(layout.alike + layout.clipped for layout in layouts),
        f"{max(layout.unused for layout in layouts):.1%}",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
