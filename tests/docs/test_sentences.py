"""Headings and first sentences are noun phrases or orders, not riddles; the server is called the server."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from testing.processes import ROOT

RIDDLE = re.compile(r"(Who|Whoever|Whose|What|Whatever|Where|Wherever|Which|Why|How)\b")
PAGES = [path for folder in (".", "deploy", "docs", "fuzz") for path in sorted(ROOT.glob(f"{folder}/*.md"))]
SOURCES = [path for folder in ("tandem", "testing", "bench", "fuzz") for path in sorted(ROOT.glob(f"{folder}/**/*.py"))]

# The old word for the server stays in names that are part of a format: of the database, the metrics and a welcome.
GROUND = re.compile(r"(?<!back)(?<!fore)(?<!under)grounds?(?![a-z])", re.IGNORECASE)
FORMATS = frozenset(
    {
        "CHANGELOG.md",
        "README.md",
        "docs/board.md",
        "tandem/board/feed/server_health.py",
        "tandem/board/web/prometheus.py",
        "tandem/board/web/static/health.js",
        "tandem/records/postgres/postgres_schema.py",
        "tandem/records/postgres/postgres_store.py",
        "tandem/records/queries.py",
        "tandem/records/sqlite/sqlite_schema.py",
        "tandem/records/visits.py",
        "testing/clients.py",
        "tests/board/test_databases.py",
        "tests/board/test_pages.py",
        "tests/board/test_rules.py",
        "tests/client/test_handover.py",
        "tests/docs/test_sentences.py",
    }
)


def headings(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return (found[1] for found in re.finditer(r"^#+ (.+)", text, re.MULTILINE))


def docstrings(source: Path) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, documented):
            yield ast.get_docstring(node) or ""


def test_no_heading_is_a_riddle() -> None:
    found = [(page.name, heading) for page in PAGES for heading in headings(page)]
    assert len(found) > 100
    assert [each for each in found if RIDDLE.match(each[1])] == []


def test_no_docstring_begins_with_a_riddle() -> None:
    found = [(source.relative_to(ROOT), text) for source in SOURCES for text in docstrings(source)]
    assert len(found) > 1000
    assert [each for each in found if RIDDLE.match(each[1])] == []


def test_no_comment_begins_with_a_riddle() -> None:
    comment = re.compile(rf"^\s*# {RIDDLE.pattern}", re.MULTILINE)
    found = [str(source.relative_to(ROOT)) for source in SOURCES if comment.search(source.read_text(encoding="utf-8"))]
    assert found == []


def test_the_server_is_called_so() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [
        name for name in listed if name not in FORMATS and not name.startswith(("tests/board/axe/", "fuzz/corpus/"))
    ]
    assert len(files) > 300
    texts = ((name, (ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in files)
    assert [(name, found[0]) for name, text in texts if (found := GROUND.search(text))] == []
