"""Renders pages and pieces of pages with Jinja2. Every value is escaped, unless a template made it."""

from collections.abc import Mapping
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from tandem.board.feed.tiles import TileState
from tandem.board.web import display_text

_FILTERS = (
    *("visible", "visible_name", "public", "is_public", "problem_title"),
    *("clock", "day_and_clock", "minute", "short", "duration", "size", "hex_dump", "split_name"),
)
SIGNS = {  # the icon of each state: a state is never shown by its colour alone
    TileState.FINISHED: "finished",
    TileState.STUCK: "stuck",
    TileState.WAITING: "waiting",
    TileState.EXPECTED: "expected",
}


class PageTemplates:
    """The templates of the board."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("tandem.board.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {name: getattr(display_text, name) for name in _FILTERS}
        self._templates.globals |= {"SIGNS": SIGNS, "TileState": TileState}
        self._pieces: Any = self._templates.get_template("pieces.html").module

    def piece(self, name: str, **values: object) -> Markup:
        """Render a macro of pieces.html."""
        return Markup(getattr(self._pieces, name)(**values))

    def page(self, name: str, viewer: Mapping[str, object], status: int = 200, **values: object) -> HTMLResponse:
        """Return a response with a whole page. `viewer` is what Auth.viewer returned."""
        return HTMLResponse(self._templates.get_template(name).render(viewer=viewer, **values), status)
