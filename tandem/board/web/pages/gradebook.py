"""The gradebook, for the teacher: the table, rosters, deadlines, notes, files to take away, what a secret proves."""

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.follow import Follower
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.gradebook import grades
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError, Note
from tandem.board.gradebook.class_names import ByClass
from tandem.board.gradebook.evidence import keys_in, prove
from tandem.board.gradebook.exports import FORMATS, TooManyRowsError
from tandem.board.gradebook.grades import Gradebook, GradePage, Wanted, as_row
from tandem.board.gradebook.recognition import expected_key
from tandem.board.gradebook.roster import EXAMPLE, Roster, RosterError, parse_roster
from tandem.board.web.auth import Auth, field
from tandem.board.web.display_text import read_minute
from tandem.board.web.links import Links, page_number
from tandem.board.web.page_templates import PageTemplates
from tandem.diagnosis import rules
from tandem.keys.keyring import KeyFileError
from tandem.records.queries import Records, TeamKey

HOME = "/gradebook"
MAX_CLASSES = 500  # that are offered
MAX_LENGTHS = {"mark": 20, "text": 2_000, "search": 128}  # characters
_PARTS = ("class", "team", "pair")  # of a team's key, where a page begins or ends
A_PIECE = 65_536  # bytes of a file on its way to the browser


class GradebookPages:
    """/gradebook and what belongs to it."""

    def __init__(
        self,
        looks: PageTemplates,
        entrance: Auth,
        reading: RecordsPool,
        follower: Follower,
        census: ClassCounts,
        book: BoardStore,
        links: Links,
        data: Path,
    ) -> None:
        self._looks = looks
        self._entrance = entrance
        self._reading = reading
        self._follower = follower
        self._census = census
        self._book = book
        self._links = links
        self._data = data

    def routes(self) -> list[Route]:
        teacher = self._entrance.for_teacher
        return [
            Route("/gradebook", teacher(self.table)),
            Route("/gradebook/export", teacher(self.export)),
            Route("/gradebook/note", teacher(self.note), methods=["GET"]),
            Route("/gradebook/note", teacher(self.write_note), methods=["POST"]),
            Route("/gradebook/classes", teacher(self.classes)),
            Route("/gradebook/roster", teacher(self.upload), methods=["POST"]),
            Route("/gradebook/roster/remove", teacher(self.remove_roster), methods=["POST"]),
            Route("/gradebook/deadline", teacher(self.set_deadline), methods=["POST"]),
            Route("/gradebook/forget", teacher(self.ask_to_forget), methods=["GET"]),
            Route("/gradebook/forget", teacher(self.forget), methods=["POST"]),
            Route("/gradebook/secret", teacher(self.secret), methods=["GET"]),
            Route("/gradebook/secret", teacher(self.prove), methods=["POST"]),
        ]

    async def table(self, request: Request) -> Response:
        wanted = _wanted(request.query_params)
        classes, more = self._classes(wanted.classname)
        page = await self._reading.ask(lambda records: self._gradebook(records).page(wanted))
        return self._looks.page(
            "gradebook.html",
            self._entrance.viewer(request),
            page=page,
            wanted=wanted,
            classes=classes,
            more=more,
            states=grades.ALL_STATES,
            sorts=list(grades.SORTS),
            deadlines=self._book.deadlines(),
            links=self._links,
            query=lambda **changed: _query(wanted, **changed),
            here=_here(wanted),
            next_page=_next_page(wanted, page),
            page_back=_page_back(wanted, page),
            most=grades.MAX_SORTED,
            apart=self._apart(wanted) if page.pages is None else [],
        )

    async def export(self, request: Request) -> Response:
        """A file of all that is wanted; made on disk first, since it may be large."""
        format = request.query_params.get("format", "csv")
        if format not in FORMATS:
            raise HTTPException(404, f"The format is one of {', '.join(FORMATS)}.")
        media_type, write = FORMATS[format]
        wanted = _wanted(request.query_params)
        file = TemporaryFile()  # noqa: SIM115 - the answer closes it

        def fill(records: Records) -> None:
            write(map(as_row, self._gradebook(records).grades(wanted)), file)
            file.seek(0)

        try:
            await self._reading.ask(fill)
        except BaseException as error:
            file.close()
            if isinstance(error, TooManyRowsError):
                raise HTTPException(413, str(error)) from None
            raise
        headers = {"Content-Disposition": f'attachment; filename="gradebook.{format}"'}
        return StreamingResponse(_pieces(file), media_type=media_type, headers=headers)

    async def note(self, request: Request) -> Response:
        """One team's note, to be written."""
        key = await self._key(request)
        if key is None:
            raise HTTPException(404, "This team is neither on record nor on a roster.")
        return self._looks.page(
            "note.html",
            self._entrance.viewer(request),
            key=key,
            note=await self._reading.ask(lambda records: self._gradebook(records).note(key)),
            link=self._links.team(key),
            then=_then(request, key),
            most=MAX_LENGTHS,
        )

    async def write_note(self, request: Request) -> Response:
        key = await self._key(request)
        if key is None:
            raise HTTPException(404, "This team is neither on record nor on a roster.")
        mark, text = (await field(request, "mark")).strip(), (await field(request, "text")).strip()
        if len(mark) > MAX_LENGTHS["mark"] or len(text) > MAX_LENGTHS["text"]:
            raise HTTPException(
                413, f"A mark has at most {MAX_LENGTHS['mark']} characters, a note {MAX_LENGTHS['text']:,}."
            )
        note = Note(bool(await field(request, "oral")), mark, text.replace("\r\n", "\n"))
        before = await self._reading.ask(lambda records: self._gradebook(records).source(key))
        await run_in_threadpool(self._book.write_note, key, note, before)
        return RedirectResponse(f"{HOME}?{_then(request, key)}", 303)

    async def classes(self, request: Request) -> Response:
        """Rosters and deadlines."""
        return self._classes_page(request)

    async def upload(self, request: Request) -> Response:
        form = await request.form(max_files=1, max_fields=20)
        given, pasted = form.get("file"), form.get("pasted")
        data = await given.read() if isinstance(given, UploadFile) else b""
        if not data and isinstance(pasted, str):
            data = pasted.encode()
        try:
            roster = parse_roster(data)
            await run_in_threadpool(self._book.set_rosters, roster.teams)
        except RosterError as trouble:
            return self._classes_page(request, 422, mistakes=trouble.mistakes)
        except BoardStoreError as trouble:
            return self._classes_page(request, 422, mistakes=(str(trouble),))
        await self._follower.refresh()
        return self._classes_page(request, kept=roster)

    async def set_deadline(self, request: Request) -> Response:
        text = await field(request, "at")
        try:
            at = read_minute(text) if text else None
        except (ValueError, OverflowError):
            raise HTTPException(422, "A deadline is a date and a time, as 2026-12-31T17:00.") from None
        await run_in_threadpool(self._book.set_deadline, await field(request, "class"), at)
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def remove_roster(self, request: Request) -> Response:
        """The roster alone: notes and deadline stay."""
        await run_in_threadpool(self._book.remove_roster, await field(request, "class"))
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def ask_to_forget(self, request: Request) -> Response:
        """Says what would be forgotten; its form does it."""
        return self._forget_page(request, request.query_params.get("class", ""))

    async def forget(self, request: Request) -> Response:
        """What the board keeps of a class: roster, deadline, notes, if that is what the teacher was told. The records
        are the ground's."""
        classname = await field(request, "class")
        if await field(request, "notes") != str(self._book.noted().get(classname, 0)):
            return self._forget_page(request, classname, 409)
        await run_in_threadpool(self._book.forget_class, classname)
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def secret(self, request: Request) -> Response:
        return self._looks.page(
            "prove.html", self._entrance.viewer(request), verdict=None, trouble="", links=self._links
        )

    async def prove(self, request: Request) -> Response:
        secret = (await field(request, "secret")).strip().lower()
        trouble, keys = "", []
        try:
            keys = keys_in(self._data, time.time())
        except KeyFileError as error:
            trouble = str(error)
        verdict = await self._reading.ask(lambda records: prove(secret, records, keys))
        viewer = self._entrance.viewer(request)
        return self._looks.page("prove.html", viewer, verdict=verdict, trouble=trouble, links=self._links)

    def _gradebook(self, records: Records) -> Gradebook:
        return Gradebook(records, self._book, self._census.counted)

    async def _key(self, request: Request) -> TeamKey | None:
        """Which team a note is about: one that has a note, one on record, or one on a roster."""
        query = request.query_params
        noted = self._links.among(self._book.notes(query.get("class", "")), query)
        if noted:
            return noted
        row = await self._reading.ask(lambda records: self._links.find(records, query))
        if row:
            return row.key
        expected = self._book.roster(query.get("class", ""))
        return next((expected_key(team) for team in expected if team.teamname == query.get("team")), None)

    def _classes(self, chosen: str | None) -> tuple[list[str], int]:
        """What is offered: the one that is chosen first, as it is written, the book's, then what has come; and how
        many more there are."""
        names = [
            *([chosen] if chosen else []),
            *self._book.rostered(),
            *self._book.noted(),
            *self._book.deadlines(),
            *self._census.counted.classes,
        ]
        all_of_them = list(ByClass((name, None) for name in names))
        return all_of_them[:MAX_CLASSES], max(0, len(all_of_them) - MAX_CLASSES)

    def _apart(self, wanted: Wanted) -> list[str]:
        """The states of those that the book knows and the records do not, where only what is on record is shown."""
        if wanted.state is not None:
            return []
        known = {grades.EXPECTED: self._book.rostered(), grades.NOTE_ONLY: self._book.noted()}
        return [state for state, kept in known.items() if (wanted.classname in kept if wanted.classname else kept)]

    def _forget_page(self, request: Request, classname: str, status: int = 200) -> Response:
        return self._looks.page(
            "forget.html",
            self._entrance.viewer(request),
            status,
            classname=classname,
            notes=self._book.noted().get(classname, 0),
            expected=self._book.rostered().get(classname, 0),
            has_deadline=classname in self._book.deadlines(),
        )

    def _classes_page(
        self,
        request: Request,
        status: int = 200,
        mistakes: tuple[str, ...] = (),
        kept: Roster | None = None,
    ) -> Response:
        chosen = request.query_params.get("class", "").strip()
        classes, more = self._classes(chosen)
        return self._looks.page(
            "rosters.html",
            self._entrance.viewer(request),
            status,
            classes=classes,
            more=more,
            chosen=chosen,
            longest=rules.MAX_LENGTHS["classname"],
            rostered=self._book.rostered(),
            deadlines=self._book.deadlines(),
            mistakes=mistakes,
            kept=kept,
            example=EXAMPLE,
            zone=time.strftime("%Z"),
        )


def _wanted(query: Mapping[str, str]) -> Wanted:
    """What the address asks for; what it cannot mean is left out."""
    state, sort = query.get("state"), query.get("sort", "team")
    return Wanted(
        query.get("class") or None,
        state if state in grades.ALL_STATES else None,
        query.get("search", "").strip()[: MAX_LENGTHS["search"]] or None,
        sort if sort in grades.SORTS else "team",
        query.get("order") == "down",
        page_number(query),
        _read_key(query, "after"),
        _read_key(query, "before"),
    )


def _read_key(query: Mapping[str, str], where: str) -> TeamKey | None:
    """The way back from `_written_key`."""
    key = [query.get(f"{where}_{part}", "") for part in _PARTS]
    return TeamKey(*key) if any(key) else None


def _written_key(key: TeamKey, where: str) -> dict[str, str]:
    return {f"{where}_{part}": value for part, value in zip(_PARTS, key, strict=True)}


def _query(wanted: Wanted, **changed: str) -> str:
    """The address of the same with something changed; a page always begins anew, unless it is what changes."""
    asked = {
        "class": wanted.classname or "",
        "state": wanted.state or "",
        "search": wanted.search or "",
        "sort": wanted.sort,
        "order": "down" if wanted.descending else "",
    }
    return urlencode({name: value for name, value in (asked | changed).items() if value})


def _here(wanted: Wanted) -> str:
    """The address of the same page."""
    changed = {"page": str(wanted.page)} if wanted.page > 1 else {}
    for where, key in (("after", wanted.after), ("before", wanted.before)):
        changed |= _written_key(key, where) if key else {}
    return _query(wanted, **changed)


def _then(request: Request, key: TeamKey) -> str:
    """The query of the gradebook's page that a note was opened from, and is left to; else its class."""
    then = request.query_params.get("then")
    return urlencode({"class": key.classname}) if then is None else _here(_wanted(QueryParams(then)))


def _next_page(wanted: Wanted, page: GradePage) -> str:
    """The query for the next page; "" behind the last."""
    if page.next:
        return _query(wanted, **_written_key(page.next, "after"))
    if page.pages and page.page < page.pages:
        return _query(wanted, page=str(page.page + 1))
    return ""


def _page_back(wanted: Wanted, page: GradePage) -> str:
    """The query for the page before; "" before the first."""
    if page.back:
        return _query(wanted, **_written_key(page.back, "before"))
    return _query(wanted, page=str(page.page - 1)) if page.page > 1 else ""


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await run_in_threadpool(file.read, A_PIECE):
            yield piece
