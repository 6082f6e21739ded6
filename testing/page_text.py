"""The text of the board's pages, without markup."""

import re


def words(page: str) -> str:
    """A page's text without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def table(page: str) -> list[str]:
    """The gradebook's lines."""
    return [words(line) for line in re.findall(r"<tr.*?</tr>", page, re.DOTALL)][1:]
