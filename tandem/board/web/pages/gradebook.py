"""The teacher's pages: the gradebook and its exports, notes, rosters, deadlines, and what a secret proves."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
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
from tandem.board.feed.follower import Follower
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.gradebook import grades
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError, Note
from tandem.board.gradebook.evidence import keys_in, prove
from tandem.board.gradebook.exports import FORMATS, TooManyRowsError
from tandem.board.gradebook.grades import Gradebook, GradePage, GradeQuery, as_row
from tandem.board.gradebook.recognition import expected_key
from tandem.board.gradebook.roster import ROSTER_EXAMPLE, Roster, RosterError, parse_roster
from tandem.board.web.auth import Auth, form_field
from tandem.board.web.display_text import ClockChangeError, read_minute
from tandem.board.web.links import Links, page_number
from tandem.board.web.page_templates import PageTemplates
from tandem.diagnosis import rules
from tandem.keys.keyring import KeyFileError
from tandem.records.class_spellings import ByClass, distinct_classes
from tandem.records.queries import Records, TeamKey

GRADEBOOK_PATH = "/gradebook"
MAX_SHOWN_CLASSES = 500  # others are found by name
MAX_CHARS = {"mark": 20, "text": 2_000, "search": 128}
CHUNK_BYTES = 65_536  # of an exported file
NO_SUCH_TEAM = "This team is not on record and not on a roster."

_KEY_PARTS = ("class", "team", "pair")  # of the team at which a page begins or ends


class GradebookPages:
    """/gradebook and the pages below it.

    Pages that read answer 503 if the records or the board's own file cannot be read.
    """

    def __init__(
        self,
        page_templates: PageTemplates,
        auth: Auth,
        records_pool: RecordsPool,
        follower: Follower,
        class_counts: ClassCounts,
        board_store: BoardStore,
        links: Links,
        data: Path,
    ) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._records_pool = records_pool
        self._follower = follower
        self._class_counts = class_counts
        self._board_store = board_store
        self._links = links
        self._data = data

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        teacher = self._auth.for_teacher
        return [
            Route("/gradebook", teacher(self.table)),
            Route("/gradebook/export", teacher(self.export)),
            Route("/gradebook/note", teacher(self.note), methods=["GET"]),
            Route("/gradebook/note", teacher(self.write_note), methods=["POST"]),
            Route("/gradebook/mark", teacher(self.write_mark), methods=["POST"]),
            Route("/gradebook/classes", teacher(self.classes)),
            Route("/gradebook/roster", teacher(self.upload), methods=["POST"]),
            Route("/gradebook/roster/remove", teacher(self.confirm_remove_roster), methods=["GET"]),
            Route("/gradebook/roster/remove", teacher(self.remove_roster), methods=["POST"]),
            Route("/gradebook/deadline", teacher(self.set_deadline), methods=["POST"]),
            Route("/gradebook/forget", teacher(self.confirm_forget), methods=["GET"]),
            Route("/gradebook/forget", teacher(self.forget), methods=["POST"]),
            Route("/gradebook/secret", teacher(self.secret), methods=["GET"]),
            Route("/gradebook/secret", teacher(self.prove), methods=["POST"]),
        ]

    async def table(self, request: Request) -> Response:
        """Show the gradebook."""
        grade_query = _read_query(request.query_params)
        classes, not_listed = self._classes(grade_query.classname)
        page = await self._records_pool.read(lambda records: self._gradebook(records).page(grade_query))
        return self._page_templates.page(
            "gradebook.html",
            self._auth.viewer(request),
            page=page,
            grade_query=grade_query,
            classes=classes,
            not_listed=not_listed,
            states=grades.ALL_STATES,
            sorts=list(grades.SORTS),
            deadlines=self._board_store.deadlines(),
            links=self._links,
            query_string=lambda **changed: _query_string(grade_query, **changed),
            this_page=_page_query(grade_query),
            next_page=_next_page(grade_query, page),
            previous_page=_previous_page(grade_query, page),
            max_sorted=grades.MAX_SORTED,
            max_mark_chars=MAX_CHARS["mark"],
            next_row=request.query_params.get("row"),
            separate_states=self._separate_states(grade_query) if page.pages is None else [],
        )

    async def export(self, request: Request) -> Response:
        """Send all rows as a file. It is written to the disk first, because it may be large.

        Raises:
            HTTPException: 404 for an unknown format; 413 if the format cannot hold that many rows.
        """
        format = request.query_params.get("format", "csv")
        if format not in FORMATS:
            raise HTTPException(404, f"The format must be one of {', '.join(FORMATS)}.")
        media_type, write = FORMATS[format]
        grade_query = _read_query(request.query_params)
        file = TemporaryFile()  # noqa: SIM115 - the response closes it

        def fill(records: Records) -> None:
            write(map(as_row, self._gradebook(records).grades(grade_query)), file)
            file.seek(0)

        try:
            await self._records_pool.read(fill)
        except BaseException as error:
            file.close()
            if isinstance(error, TooManyRowsError):
                raise HTTPException(413, str(error)) from None
            raise
        headers = {"Content-Disposition": f'attachment; filename="gradebook.{format}"'}
        return StreamingResponse(_chunks(file), media_type=media_type, headers=headers)

    async def note(self, request: Request) -> Response:
        """Show the form for a team's note.

        Raises:
            HTTPException: 404 if the team is not on record and not on a roster.
        """
        key = await self._key(request)
        if key is None:
            raise HTTPException(404, NO_SUCH_TEAM)
        return self._page_templates.page(
            "note.html",
            self._auth.viewer(request),
            key=key,
            note=await self._records_pool.read(lambda records: self._gradebook(records).note(key)),
            link=self._links.team(key),
            then=_return_query(request, key),
            max_chars=MAX_CHARS,
        )

    async def write_note(self, request: Request) -> Response:
        """Save a team's note.

        Raises:
            HTTPException: 404 if the team is not on record and not on a roster; 413 if a text is too long.
        """
        key = await self._key(request)
        if key is None:
            raise HTTPException(404, NO_SUCH_TEAM)
        mark, text = (await form_field(request, "mark")).strip(), (await form_field(request, "text")).strip()
        if len(mark) > MAX_CHARS["mark"] or len(text) > MAX_CHARS["text"]:
            raise HTTPException(
                413, f"A mark has at most {MAX_CHARS['mark']} characters, a note {MAX_CHARS['text']:,}."
            )
        note = Note(bool(await form_field(request, "oral")), mark, text.replace("\r\n", "\n"))
        old_key = await self._records_pool.read(lambda records: self._gradebook(records).source(key))
        await run_in_threadpool(self._board_store.write_note, key, note, old_key)
        return RedirectResponse(f"{GRADEBOOK_PATH}?{_return_query(request, key)}", 303)

    async def write_mark(self, request: Request) -> Response:
        """Save a team's mark, and go on in the next row. The rest of the note stays.

        Raises:
            HTTPException: 404 if the team is not on record and not on a roster; 413 if the mark is too long.
        """
        key = await self._key(request)
        if key is None:
            raise HTTPException(404, NO_SUCH_TEAM)
        mark = (await form_field(request, "mark")).strip()
        if len(mark) > MAX_CHARS["mark"]:
            raise HTTPException(413, f"A mark has at most {MAX_CHARS['mark']} characters.")

        def read(records: Records) -> tuple[Note, TeamKey]:
            gradebook = self._gradebook(records)
            return gradebook.note(key), gradebook.source(key)

        note, old_key = await self._records_pool.read(read)
        await run_in_threadpool(self._board_store.write_note, key, replace(note, mark=mark), old_key)
        if await form_field(request, "stay"):  # the page's script goes on by itself
            return Response(status_code=204)
        row = urlencode({"row": await form_field(request, "next")})
        return RedirectResponse(f"{GRADEBOOK_PATH}?{_return_query(request, key)}&{row}", 303)

    async def classes(self, request: Request) -> Response:
        """Show the rosters and deadlines."""
        return self._classes_page(request)

    async def upload(self, request: Request) -> Response:
        """Replace the rosters of the classes in a file or in pasted text."""
        form = await request.form(max_files=1, max_fields=20)
        file, pasted = form.get("file"), form.get("pasted")
        data = await file.read() if isinstance(file, UploadFile) else b""
        if not data and isinstance(pasted, str):
            data = pasted.encode()
        try:
            roster = parse_roster(data)
            await run_in_threadpool(self._board_store.replace_rosters, roster.teams)
        except RosterError as error:
            return self._classes_page(request, 422, mistakes=error.mistakes)
        except BoardStoreError as error:
            return self._classes_page(request, 422, mistakes=(str(error),))
        await self._follower.refresh()
        return self._classes_page(request, saved=roster)

    async def set_deadline(self, request: Request) -> Response:
        """Set or remove the deadline of a class.

        Raises:
            HTTPException: 422 if the text is not a time, or a time that the change of the clock skips or repeats.
        """
        text = await form_field(request, "at")
        try:
            deadline_us = read_minute(text) if text else None
        except ClockChangeError as error:
            raise HTTPException(422, f"The deadline was not saved: {error}") from None
        except (ValueError, OverflowError):
            raise HTTPException(422, "A deadline is a date and a time, for example 2026-12-31T17:00.") from None
        await run_in_threadpool(self._board_store.set_deadline, await form_field(request, "class"), deadline_us)
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def confirm_remove_roster(self, request: Request) -> Response:
        """Ask before a roster is removed.

        Raises:
            HTTPException: 404 if the class has no roster.
        """
        classname = request.query_params.get("class", "")
        expected = self._board_store.roster_sizes().get(classname)
        if expected is None:
            raise HTTPException(404, "This class has no roster.")
        viewer = self._auth.viewer(request)
        return self._page_templates.page("remove_roster.html", viewer, classname=classname, expected=expected)

    async def remove_roster(self, request: Request) -> Response:
        """Remove the roster of a class. Its notes and deadline stay."""
        await run_in_threadpool(self._board_store.remove_roster, await form_field(request, "class"))
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def confirm_forget(self, request: Request) -> Response:
        """Show what would be deleted for a class, with the form that deletes it."""
        return self._forget_page(request, request.query_params.get("class", ""))

    async def forget(self, request: Request) -> Response:
        """Delete the roster, the deadline and the notes of a class. The server's records stay.

        If the number of notes is not the one that the teacher has confirmed, nothing is deleted.
        """
        classname = await form_field(request, "class")
        if await form_field(request, "notes") != str(self._board_store.note_counts().get(classname, 0)):
            return self._forget_page(request, classname, 409)
        await run_in_threadpool(self._board_store.forget_class, classname)
        await self._follower.refresh()
        return RedirectResponse("/gradebook/classes", 303)

    async def secret(self, request: Request) -> Response:
        """Show the form for a secret."""
        return self._page_templates.page(
            "prove.html", self._auth.viewer(request), verdict=None, key_error="", links=self._links
        )

    async def prove(self, request: Request) -> Response:
        """Show which team a secret belongs to."""
        secret = (await form_field(request, "secret")).strip().lower()
        key_error, keys = "", []
        try:
            keys = keys_in(self._data, time.time())
        except KeyFileError as error:
            key_error = str(error)
        verdict = await self._records_pool.read(lambda records: prove(secret, records, keys))
        viewer = self._auth.viewer(request)
        return self._page_templates.page("prove.html", viewer, verdict=verdict, key_error=key_error, links=self._links)

    def _gradebook(self, records: Records) -> Gradebook:
        return Gradebook(records, self._board_store, self._class_counts.latest)

    async def _key(self, request: Request) -> TeamKey | None:
        """Return the team that the URL names: one that has a note, is on record, or is on a roster."""
        query = request.query_params
        key = self._links.find_key(self._board_store.notes(query.get("class", "")), query)
        if key:
            return key
        row = await self._records_pool.read(lambda records: self._links.find(records, query))
        if row:
            return row.key
        expected = [*map(expected_key, self._board_store.roster(query.get("class", "")))]
        named = (key for key in expected if key.teamname == query.get("team"))
        return self._links.find_key(expected, query) or next(named, None)

    def _classes(self, chosen: str | None) -> tuple[list[str], int]:
        """Return the classes to choose from, and how many others there are.

        The chosen class is first, as it is spelled. Classes of the board store precede those that are only on record.
        """
        store = self._board_store
        own = distinct_classes([*store.roster_sizes(), *store.note_counts(), *store.deadlines()])
        names = [*([chosen] if chosen else []), *own, *self._class_counts.latest.classes]
        shown = list(ByClass((name, None) for name in names))
        return shown[:MAX_SHOWN_CLASSES], max(0, len(shown) - MAX_SHOWN_CLASSES)

    def _separate_states(self, grade_query: GradeQuery) -> list[str]:
        """Return the states of teams that are not on record, which a page of unsorted rows does not show."""
        if grade_query.state is not None:
            return []
        classes = {grades.EXPECTED: self._board_store.roster_sizes(), grades.NOTE_ONLY: self._board_store.note_counts()}
        return [
            state
            for state, counts in classes.items()
            if (grade_query.classname in counts if grade_query.classname else counts)
        ]

    def _forget_page(self, request: Request, classname: str, status: int = 200) -> Response:
        return self._page_templates.page(
            "forget.html",
            self._auth.viewer(request),
            status,
            classname=classname,
            notes=self._board_store.note_counts().get(classname, 0),
            expected=self._board_store.roster_sizes().get(classname, 0),
            has_deadline=classname in self._board_store.deadlines(),
        )

    def _classes_page(
        self,
        request: Request,
        status: int = 200,
        mistakes: tuple[str, ...] = (),
        saved: Roster | None = None,
    ) -> Response:
        chosen = request.query_params.get("class", "").strip()
        classes, not_listed = self._classes(chosen)
        return self._page_templates.page(
            "rosters.html",
            self._auth.viewer(request),
            status,
            classes=classes,
            not_listed=not_listed,
            chosen=chosen,
            max_class_bytes=rules.MAX_LENGTHS["classname"],
            roster_sizes=self._board_store.roster_sizes(),
            deadlines=self._board_store.deadlines(),
            mistakes=mistakes,
            saved=saved,
            saved_classes=distinct_classes(team.classname for team in saved.teams) if saved else [],
            example=ROSTER_EXAMPLE,
            time_zone=time.strftime("%Z"),
        )


def _read_query(query: Mapping[str, str]) -> GradeQuery:
    """Return what a URL asks for. Invalid values are ignored."""
    state, sort = query.get("state"), query.get("sort", "team")
    return GradeQuery(
        query.get("class") or None,
        state if state in grades.ALL_STATES else None,
        query.get("search", "").strip()[: MAX_CHARS["search"]] or None,
        sort if sort in grades.SORTS else "team",
        query.get("order") == "down",
        page_number(query),
        _read_key(query, "after"),
        _read_key(query, "before"),
    )


def _read_key(query: Mapping[str, str], prefix: str) -> TeamKey | None:
    """Return the key that `_key_query` wrote, or None."""
    key = [query.get(f"{prefix}_{part}", "") for part in _KEY_PARTS]
    return TeamKey(*key) if any(key) else None


def _key_query(key: TeamKey, prefix: str) -> dict[str, str]:
    return {f"{prefix}_{part}": value for part, value in zip(_KEY_PARTS, key, strict=True)}


def _query_string(grade_query: GradeQuery, **changed: str) -> str:
    """Return a query string with some values changed. It leads to the first page, unless `page` is given."""
    values = {
        "class": grade_query.classname or "",
        "state": grade_query.state or "",
        "search": grade_query.search or "",
        "sort": grade_query.sort,
        "order": "down" if grade_query.descending else "",
    }
    return urlencode({name: value for name, value in (values | changed).items() if value})


def _page_query(grade_query: GradeQuery) -> str:
    """Return the query string of this page."""
    changed = {"page": str(grade_query.page)} if grade_query.page > 1 else {}
    for prefix, key in (("after", grade_query.after), ("before", grade_query.before)):
        changed |= _key_query(key, prefix) if key else {}
    return _query_string(grade_query, **changed)


def _return_query(request: Request, key: TeamKey) -> str:
    """Return the query string of the page of the gradebook from which the note was opened; else of the team's class."""
    then = request.query_params.get("then")
    return urlencode({"class": key.classname}) if then is None else _page_query(_read_query(QueryParams(then)))


def _next_page(grade_query: GradeQuery, page: GradePage) -> str:
    """Return the query string of the next page; "" after the last."""
    if page.next_key:
        return _query_string(grade_query, **_key_query(page.next_key, "after"))
    if page.pages and page.page < page.pages:
        return _query_string(grade_query, page=str(page.page + 1))
    return ""


def _previous_page(grade_query: GradeQuery, page: GradePage) -> str:
    """Return the query string of the previous page; "" before the first."""
    if page.previous_key:
        return _query_string(grade_query, **_key_query(page.previous_key, "before"))
    return _query_string(grade_query, page=str(page.page - 1)) if page.page > 1 else ""


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while chunk := await run_in_threadpool(file.read, CHUNK_BYTES):
            yield chunk
