"""The text of the board's pages, without markup."""

import re


def words(page: str) -> str:
    """Return a page's text without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def table(page: str) -> list[str]:
    """Return the text of each row of the page's table, without its head."""
    return [words(line) for line in re.findall(r"<tr.*?</tr>", page, re.DOTALL)][1:]
