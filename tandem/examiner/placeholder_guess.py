"""Guesses which placeholder a name in a source or the text of a question means."""

import re

from tandem.examiner.placeholders import PLACEHOLDERS

_OTHER = r"\b(peer|client ?2|client two|other|partner|friend|second|remote|target|destination|forward)\b"
_OWN = r"\b(own|my|your|local|this|self)\b"
_SERVER = r"\b(server|teacher)\b"
_PORT = r"\bport\b"
_HOST = r"\b(ip|host|hostname|address|addr|adres)\b"

# Pattern on the words in lower case -> the answers of client 1 and of client 2. The first that fits counts.
_GUESSES = (
    (r"press|enter to|to continue", "", ""),
    (rf"(?=.*{_OTHER}).*{_PORT}", "{peer_port}", "{listen_port}"),
    (rf"(?=.*{_OTHER}).*{_HOST}", "{peer_host}", "{own_host}"),
    (r"\b(listen|listening|bind)\b", "{listen_port}", "{listen_port}"),
    (rf"(?=.*{_SERVER}).*{_PORT}", "{server_port}", "{server_port}"),
    (rf"(?=.*{_OWN}).*{_PORT}", "{listen_port}", "{listen_port}"),
    (rf"(?=.*{_OWN}).*{_HOST}", "{own_host}", "{own_host}"),
    (_SERVER, "{server_host}", "{server_host}"),
    (r"\b(team ?mate|mate|partner)\b|\b(other|second|2nd) student", "{studentnr2}", "{studentnr1}"),
    (r"\b(nr|number|student|studentnr|studentnumber) ?2\b", "{studentnr2}", "{studentnr2}"),
    (r"\b(nr|number|student|studentnr|studentnumber) ?1\b", "{studentnr1}", "{studentnr1}"),
    (r"\bstud(ent)?\b|\bstudent ?(nr|number|no|num|id)\b|studentnr|studentnumber", "{studentnr1}", "{studentnr2}"),
    (r"\bclass|klas\b", "{classname}", "{classname}"),
    (r"\bteam|\bgroup", "{teamname}", "{teamname}"),
    (r"\bclient|\binstance\b|\brole\b|\bmode\b|\bid\b|\b1\b.*\b2\b", "{clientid}", "{clientid}"),
    (_OTHER, "{peer_host}", "{own_host}"),
    (_PORT, "{server_port}", "{listen_port}"),
    (r"\bhost(name)?\b", "{server_host}", "{server_host}"),
    (_HOST, "{own_host}", "{own_host}"),
    (r"\b(nr|number)\b", "{studentnr1}", "{studentnr2}"),
)


def guess(text: str, clientid: int) -> str | None:
    """Return the placeholder in braces that a text means for client 1 or 2, "" for an empty answer, None if unknown."""
    if text in PLACEHOLDERS:
        return f"{{{text}}}"
    words = _words(text)
    for pattern, first, second in _GUESSES:
        if re.search(pattern, words):
            return first if clientid == 1 else second
    return None


def _words(text: str) -> str:
    """Return the words of a name or a question in lower case: studentNumber, student-number and "student number"."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.sub(r"[^a-z0-9]+", " ", parted.lower()).strip()
