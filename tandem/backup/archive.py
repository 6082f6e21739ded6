"""The format of a backup: a zip file with manifest.json and the database files of a data folder.

Owns writing and reading it. A damaged, foreign or hostile file raises StoreError with one line. Also reads the backup
of older versions: one plain SQLite file. Knows no data folder.

manifest.json, one object: "format" (1), "made_by", "made_at" (UTC, ISO 8601), "files" (file name -> {"schema": its
version, "rows": {what: how many}}), "key" (null, or {"fingerprint", "kept_in"}; never the key itself).
"""

import io
import json
import os
import shutil
import sqlite3
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tandem.records.path_kind import FILE, path_kind
from tandem.records.sqlite.data_file import SQL_ERRORS, Counts, DataFile, kind_of
from tandem.records.sqlite.database_copy import copy_database
from tandem.records.sqlite.sqlite_store import StoreError, store_error

BACKUP_WANTED = "the file that `tandem backup` wrote, whole"
MANIFEST = "manifest.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 65_536
MAX_READ_BYTES = 1 << 20  # in one read; the list of files of a backup is far smaller

_SQLITE = b"SQLite format 3\0"
_WAL_OFFSET, _WAL_MODE = 18, b"\2"  # this byte of a database says that it uses a write-ahead log
_ZIP = b"PK\3\4"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1  # a flag of a zip file's member
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError)  # raised by zipfile


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One database file in a backup."""

    name: str
    schema: int
    rows: Counts


@dataclass(frozen=True, slots=True)
class KeyReference:
    """The key that a backup belongs to, without the key itself."""

    fingerprint: str
    kept_in: str  # its place: a path, or the name of a variable


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts about a backup, in manifest.json."""

    made_by: str
    made_at: str
    files: Sequence[StoredFile]
    key: KeyReference | None


def write_archive(file: io.BufferedIOBase, manifest: Manifest, folder: Path) -> None:
    """Write a backup of the files in a folder that the manifest lists.

    Raises:
        OSError: the file cannot be written.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(_member(MANIFEST), _manifest_text(manifest), compresslevel=1)
        for stored in manifest.files:
            with (folder / stored.name).open("rb") as database, archive.open(_member(stored.name), "w") as member:
                shutil.copyfileobj(database, member, MAX_READ_BYTES)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)  # its date is 1980: the manifest has the time
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = (stat.S_IFREG | 0o600) << 16
    return member


def _manifest_text(manifest: Manifest) -> str:
    key = manifest.key
    facts = {
        "format": FORMAT,
        "made_by": manifest.made_by,
        "made_at": manifest.made_at,
        "files": {stored.name: {"schema": stored.schema, "rows": stored.rows} for stored in manifest.files},
        "key": key and {"fingerprint": key.fingerprint, "kept_in": key.kept_in},
    }
    return json.dumps(facts, indent=2) + "\n"


class Backup(Protocol):
    """An open backup. Each method may raise StoreError."""

    kinds: Sequence[DataFile]  # of the files in it
    made_at: str  # "" if unknown
    key: KeyReference | None
    size: int  # bytes of its files

    def extract(self, kind: DataFile, target: Path) -> None:
        """Write one of its files to an empty file. Raises OSError if that cannot be written."""

    def close(self) -> None:
        """Close the file."""


def open_backup(path: Path, kinds: Sequence[DataFile]) -> Backup:
    """Open a backup of any version, or a database file of a data folder. Close it after use.

    Raises:
        StoreError: the file is no backup, is damaged, or cannot be read.
    """
    try:
        kind = path_kind(path)
        if kind and kind != FILE:  # a named pipe could make this wait for ever
            raise StoreError(f"{path} is {kind}, not a backup", BACKUP_WANTED)
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"the backup {path} cannot be read: {reason}") from None
    if head.startswith(_ZIP):
        return Archive(path, kinds)
    if head == _SQLITE:
        return PlainDatabase(path, kinds)
    begins = f"begins with {head[:8]!r}" if head else "is empty"
    raise StoreError(f"{path} is not a backup: it {begins}", BACKUP_WANTED)


class Archive:
    """A backup that `write_archive` wrote."""

    def __init__(self, path: Path, kinds: Sequence[DataFile]) -> None:
        self._path = path
        with self._reading():
            self._file = _BoundedReader(io.FileIO(path))
            try:
                self._zip = zipfile.ZipFile(self._file)
                self._open(kinds)
            except BaseException:
                self._file.close()
                raise

    def extract(self, kind: DataFile, target: Path) -> None:
        """Write one of its files to an empty file.

        Raises:
            StoreError: the backup is damaged, or cannot be read.
            OSError: the file cannot be written.
        """
        with self._reading():
            member = self._zip.open(kind.name)
        with member, target.open("wb") as file:
            while chunk := self._read(member):
                file.write(chunk)

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def _open(self, kinds: Sequence[DataFile]) -> None:
        members = {member.filename: member for member in self._zip.infolist()}
        if MANIFEST not in members:
            raise StoreError(f"{self._path} is a zip file, but not a backup: it has no {MANIFEST}")
        for member in members.values():
            if member.compress_type not in _COMPRESSIONS or member.flag_bits & _ENCRYPTED:
                raise ValueError(f"{member.filename} is encrypted, or compressed in another way than a backup")
        if members[MANIFEST].file_size > MAX_MANIFEST_BYTES:
            raise ValueError(f"{MANIFEST} is too large")
        facts = json.loads(self._zip.read(MANIFEST))
        if not isinstance(facts, dict) or type(facts.get("format")) is not int:
            raise ValueError(f"{MANIFEST} is not one of a backup")
        if facts["format"] > FORMAT:
            raise StoreError(
                f"the backup {self._path} was made by a newer version of tandem"
                f" (format {facts['format']}, this one knows {FORMAT})",
                "use that version",
            )
        self.kinds: Sequence[DataFile] = _kinds_in(facts, members.keys() - {MANIFEST}, kinds)
        if len(members) != len(self._zip.infolist()):
            raise ValueError("it holds a file twice")
        self.made_at = _text(facts, "made_at")
        self.key = _key_in(facts)
        self.size = sum(members[kind.name].file_size for kind in self.kinds)

    def _read(self, member: Any) -> bytes:
        with self._reading():
            return bytes(member.read(MAX_READ_BYTES))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the backup {self._path} cannot be read: {error.strerror or error}") from None
        except _DAMAGED as error:
            raise StoreError(f"the backup {self._path} is damaged or not whole: {error}") from None


class _BoundedReader(io.BufferedReader):
    """Refuses large reads: a zip file can claim that its list of files is as long as the file."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_READ_BYTES:
            raise zipfile.BadZipFile("its list of files is longer than that of any backup")
        return super().read(size)


def _kinds_in(facts: dict[str, Any], members: set[str], kinds: Sequence[DataFile]) -> list[DataFile]:
    """Return the kinds of the files in a backup, which must be those of its manifest. Raises ValueError."""
    files = facts.get("files")
    if not isinstance(files, dict) or not files or files.keys() != members:
        raise ValueError(f"the files in it are not those that {MANIFEST} names")
    known = {kind.name: kind for kind in kinds}
    unknown = files.keys() - known.keys()
    if unknown:
        raise ValueError(f"it holds {min(unknown)}, which no backup does")
    return [kind for kind in kinds if kind.name in files]


def _key_in(facts: dict[str, Any]) -> KeyReference | None:
    key = facts.get("key")
    return KeyReference(_text(key, "fingerprint"), _text(key, "kept_in")) if isinstance(key, dict) else None


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


class PlainDatabase:
    """One SQLite file: a backup of an older version, or a file that was copied out of a data folder."""

    made_at = ""
    key: KeyReference | None = None

    def __init__(self, path: Path, kinds: Sequence[DataFile]) -> None:
        self._path = path
        with self._reading(), closing(self._connect()) as database:
            self.size = path.stat().st_size
            kind = kind_of(database, kinds)
        if kind is None:
            raise StoreError(f"{path} is a database, but not one that tandem made: it lacks the tables")
        self.kinds: Sequence[DataFile] = [kind]

    def extract(self, kind: DataFile, target: Path) -> None:
        """Write one of its files to an empty file.

        Raises:
            StoreError: the backup is damaged, or cannot be read.
            OSError: the file cannot be written.
        """
        with self._reading(), closing(self._connect()) as database:
            copy_database(database, target)

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _connect(self) -> sqlite3.Connection:
        """Open it for reading, together with its write-ahead log, if there is one.

        Without a log the database is opened as immutable: otherwise SQLite would make a log, which fails on a
        read-only disk.
        """
        with self._path.open("rb") as file:
            has_log = file.read(_WAL_OFFSET + 1)[-1:] == _WAL_MODE
        options = "mode=ro&immutable=1" if has_log and not os.path.exists(f"{self._path}-wal") else "mode=ro"
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?{options}", uri=True)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the backup {self._path} cannot be copied: {error.strerror}") from None
        except SQL_ERRORS as error:
            raise store_error(f"the backup {self._path} cannot be copied", error) from None
