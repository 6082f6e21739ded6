"""The layout of the tiles of a class on one screen, measured in a browser; and the invented teams of such a class."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Page

from tandem.records.visits import Record
from testing.boards import team
from testing.visits import message_1, message_2, rejected

FONTS = {"DejaVu Sans": "wide", "DejaVu Sans Condensed": "as wide as Arial"}
MAX_LETTERS = 24
NEVER_CUT = 60  # up to so many teams no name of MAX_LETTERS is cut
FILLED = 12  # from so many teams on, the height is filled
MAX_UNUSED = 0.05  # of the height

_FIRST = (
    "Binary",
    "Null",
    "Stack",
    "Kernel",
    "Packet",
    "Royal",
    "De Snelle",
    "Les Grands",
    "Quantum",
    "Silent",
    "Team",
)
_SECOND = (
    "Buccaneers",
    "Pointers",
    "Smashers",
    "Panic",
    "Sniffers",
    "Flush",
    "Slakken",
    "Octets",
    "Sockets",
    "Wombats",
)
_SINGLE = ("EOF", "Segfault", "Onverzettelijkheidsclubs", "Loopback", "WWWWWWWW", "illicitly")
_PROBLEMS = ("not-swapped", "single-quotes", "never-closed", "clientid-still-1", "secret-missing", "not-json")


def team_names(count: int, seed: int) -> list[str]:
    """Return so many different names of at most MAX_LETTERS letters, as groups of students choose them."""
    chance = random.Random(seed)
    names: dict[str, None] = {}
    while len(names) < count:
        name = chance.choice((*_SINGLE, *(f"{chance.choice(_FIRST)} {chance.choice(_SECOND)}" for _ in range(9))))
        number = f" {chance.randint(1, 99)}" if chance.random() < 0.6 else ""
        names[f"{name[: MAX_LETTERS - len(number)]}{number}"] = None
    return list(names)


def lesson(names: Sequence[str], now_us: int) -> list[Record]:
    """Return the visits of teams with these names: half of them have finished, some are stuck."""
    records: list[Record] = []
    for number, each in enumerate(team(number, name) for number, name in enumerate(names)):
        records.append(message_1(each, now_us - 600_000_000))
        if number % 2:
            records.append(message_2(each, now_us - 1_000_000 * number))
        elif number % 6 == 0:
            records.append(rejected(each, _PROBLEMS[number // 6 % len(_PROBLEMS)], now_us - 1_000_000 * number))
    return records


@dataclass(frozen=True, slots=True)
class Layout:
    """The tiles as they are drawn. Shares are of the height of the window."""

    teams: int
    size: float  # of the type, as a share
    columns: int
    rows: int
    has_state: bool  # whether the tiles show the state as text
    cut: int  # names with an ellipsis
    alike: int  # different names that are shown alike
    clipped: int  # texts that are not wholly inside of their tile, and tiles that are not on the screen
    unused: float  # height below the tiles, as a share

    def faults(self) -> list[str]:
        """Return what the layout does not keep of what docs/board.md says."""
        faults = []
        if self.cut and self.teams <= NEVER_CUT:
            faults.append(f"{self.cut} names are cut")
        if self.alike or self.clipped:
            faults.append(f"{self.alike} names look like another, {self.clipped} texts are clipped")
        if self.unused > MAX_UNUSED and self.teams >= FILLED:
            faults.append(f"{self.unused:.0%} of the height is unused")
        return faults


# Keeps all tiles of the page, so that each measurement can show the first ones of them.
KEEP = """async (font) => {
  document.body.style.fontFamily = font;
  const tiles = document.getElementById("tiles");
  window.allTiles ??= [...tiles.children];
  const { fitTiles } = await import("/static/tiles.js");
  window.layOut = fitTiles(tiles.parentElement, tiles);
}"""
MEASURE = """(count) => {
  const tiles = document.getElementById("tiles");
  tiles.replaceChildren(...allTiles.slice(0, count));
  layOut();
  const frame = tiles.parentElement.getBoundingClientRect();
  const inside = (box, outer) =>
    box.top >= outer.top - 1 && box.bottom <= outer.bottom + 1
    && box.left >= outer.left - 1 && box.right <= outer.right + 1;
  const box = (element) => element.getBoundingClientRect();
  const all = [...tiles.children];
  const stateless = tiles.closest(".class").classList.contains("stateless");
  const texts = (tile) => [...tile.querySelectorAll(stateless ? ".row" : ".row, .words")];
  const names = all.map((tile) => tile.querySelector(".name"));
  const shown = new Map(names.map((name) => [name.title, name.textContent]));
  return {
    size: parseFloat(getComputedStyle(tiles).fontSize) / innerHeight,
    columns: getComputedStyle(tiles).gridTemplateColumns.split(" ").length,
    rows: getComputedStyle(tiles).gridTemplateRows.split(" ").length,
    has_state: !stateless,
    cut: names.filter((name) => name.textContent !== name.title).length,
    alike: shown.size - new Set(shown.values()).size,
    clipped: all.flatMap((tile) => texts(tile).filter((text) => !inside(box(text), box(tile)))).length
      + all.filter((tile) => !inside(box(tile), frame)).length,
    unused: (frame.bottom - Math.max(...all.map((tile) => box(tile).bottom))) / innerHeight,
  };
}"""


RENAME = """(name) => allTiles.forEach((tile, index) => {
  tile.querySelector(".name").title = name.replace("{}", String(index).padStart(3, "0"));
})"""


def use_font(page: Page, font: str) -> None:
    """Draw the page of a class in a font. Call it before `measure`."""
    page.evaluate(KEEP, font)


def rename(page: Page, name: str) -> None:
    """Give each team a name with three digits in place of {}. Call it between `use_font` and `measure`."""
    page.evaluate(RENAME, name)


def measure(page: Page, teams: int) -> Layout:
    """Show the first teams only, and return how they stand."""
    return Layout(teams, **page.evaluate(MEASURE, teams))
