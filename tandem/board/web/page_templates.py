"""The templates, and what they may use. Everything is escaped unless it was made by a template itself."""

from collections.abc import Mapping
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from tandem.board.feed.tiles import TileState
from tandem.board.web import display_text

_FILTERS = (
    *("visible", "public", "is_public", "problem_title"),
    *("clock", "day_and_clock", "minute", "short", "duration", "size", "hex_dump", "halves"),
)
SIGNS = {  # the sign of each state: never the colour alone
    TileState.FINISHED: "finished",
    TileState.STUCK: "stuck",
    TileState.WAITING: "waiting",
    TileState.EXPECTED: "expected",
}


class PageTemplates:
    """Makes pages, and pieces of pages."""

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
        """One macro of pieces.html."""
        return Markup(getattr(self._pieces, name)(**values))

    def page(self, name: str, viewer: Mapping[str, object], status: int = 200, **values: object) -> HTMLResponse:
        """A whole page. `viewer`: who looks at it, as Entrance.viewer tells."""
        return HTMLResponse(self._templates.get_template(name).render(viewer=viewer, **values), status)
