"""Finds the entries that fit a text: by id, by the sentences of a status, by error numbers, by phrases and by words.

Everything that fits gives points to its entry, and the entry with the most points is first. The last line of an error
counts twice. Does no input or output.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from string import Formatter

from tandem.diagnosis.problem import CATALOGUE
from tandem.explain.entries import ENTRIES
from tandem.explain.mistakes import MISTAKES
from tandem.explain.symptoms import SYMPTOMS
from tandem.explain.wordings import COMMON_WORDS, PHRASES, SAME_WORDS, WORDINGS
from tandem.protocol.message import ERROR_PREFIX

MAX_FOUND = 3  # the first entry, and two more by title

NUMBER_POINTS = 8.0
PHRASE_POINTS = 6.0  # and one for each of its words
MAX_WORDS = 10  # of a phrase that count
LESS_LIKELY = 0.9  # for each next entry in a row of the table
EARLIER_LINE = 0.5  # for what stands before the last line
WORDS_BESIDE_ERRORS = 0.5  # of the points for words, if there is a phrase or a number of an error
MIN_SENTENCE = 11  # characters of a sentence that are not facts, to know it without its help
WHOLE_TEXT = 0.75  # of the points for words: it has many words
STEM = 5  # letters
MIN_WORD_POINTS = 3.5  # less is chance


def find(text: str) -> list[str]:
    """Return the ids of at most MAX_FOUND entries that fit, the best one first. Empty if nothing fits."""
    id = text.strip().strip("`'\"").lower()
    if id in ENTRIES:
        return [id]
    stated = _stated(text)
    if stated:
        return stated[:MAX_FOUND]
    points = _points(text)
    return sorted((entry for entry in ENTRIES if entry in points), key=lambda entry: -points[entry])[:MAX_FOUND]


# A status, or a sentence of one


def _stated(text: str) -> list[str]:
    """Return the ids of the problems whose sentences a status in the text has, in its order."""
    found: dict[str, None] = {}
    for line in filter(str.strip, text.splitlines()):
        for piece in line.rpartition(ERROR_PREFIX)[2].split("; "):
            id = _kind_stated(re.sub(r"\Aline \d+: ", "", piece.strip()))
            if id:
                found[id] = None
    return list(found)


def _kind_stated(sentence: str) -> str:
    """Return the id of the problem that a sentence is from: of several the one with the most words of its own."""
    fitting = [
        (size, id)
        for id, size, whole, alone in _sentences()
        if whole.match(sentence) or (size >= MIN_SENTENCE and alone.match(sentence))
    ]
    return max(fitting, default=(0, ""))[1]


@cache
def _sentences() -> tuple[tuple[str, int, re.Pattern[str], re.Pattern[str]], ...]:
    """Return for each problem its id, how many characters are not facts, and two patterns: with `help`, and without."""
    found = []
    for kind in CATALOGUE.values():
        what, size = _pattern(kind.what)
        helps = "|".join(_pattern(help)[0] for help in (kind.help, kind.help_framed) if help)
        found.append((kind.id, size, re.compile(f"{what} - (?:{helps})"), re.compile(rf"{what}\Z")))
    return tuple(found)


def _pattern(template: str) -> tuple[str, int]:
    """Return the pattern of a template with facts, and the number of characters that are not facts."""
    pieces = list(Formatter().parse(template))
    pattern = "".join(re.escape(literal) + (".{1,200}?" if name else "") for literal, name, _, _ in pieces)
    return pattern, sum(len(literal) for literal, _, _, _ in pieces)


# Points


def _points(text: str) -> dict[str, float]:
    """Return the points of each entry that has any."""
    told = [line for line in text.strip().splitlines() if line.strip() and not _FRAME.match(line)]
    last = _normal(told[-1]) if told else ""
    in_last = _error_points(last)
    points = {entry: earlier * EARLIER_LINE for entry, earlier in _error_points(_normal(text)).items()} | in_last
    if told and not points and _UNKNOWN_ERROR.match(told[-1]):  # its words say something else than a student's
        return {}
    part = WORDS_BESIDE_ERRORS if points else 1.0
    for entry, words in _word_points(_words(last if in_last else _normal(" ".join(told)))).items():
        points[entry] = points.get(entry, 0.0) + words * part
    return points


_FRAME = re.compile(r"\s|Traceback |at |\}|Emitted |Node\.js v")  # a line of a traceback that is not its error
_UNKNOWN_ERROR = re.compile(r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?:: |\Z)")
_STRAIGHT = str.maketrans({**dict.fromkeys("‘’‚`´", "'"), **dict.fromkeys("“”„", '"')})


def _normal(text: str) -> str:
    """Return a text in small letters, with straight quotes and single spaces."""
    return " ".join(text.translate(_STRAIGHT).casefold().split())


def _error_points(text: str) -> dict[str, float]:
    """Return the points of each entry for the best of its error numbers and phrases in a normalised text."""
    best: dict[str, float] = {}
    for entry, points in (*_numbers_in(text), *_phrases_in(text)):
        best[entry] = max(best.get(entry, 0.0), points)
    return best


_NUMBER = re.compile(
    r"(?:err(?:no|or|or code)?|fehler|fout|code|exception)\W{0,3}?(-?\d{1,5})\b|\A\W*?(-?\d{1,5})\W*\Z"
)
_WINDOWS_NUMBER = re.compile(r"\b1[01]\d{3}\b")  # also without a word before it


def _numbers_in(text: str) -> Iterator[tuple[str, float]]:
    """Yield entries with points for the error numbers in a text."""
    numbers = [int(after or alone) for after, alone in _NUMBER.findall(text)]
    for number in (*numbers, *map(int, _WINDOWS_NUMBER.findall(text))):
        for symptom in SYMPTOMS:
            if number in symptom.numbers or (number < -9 and -number in symptom.numbers):  # Node has -111
                yield from _in_order(symptom.entries, NUMBER_POINTS)


def _phrases_in(text: str) -> Iterator[tuple[str, float]]:
    """Yield entries with points for the phrases in a text."""
    for phrase, pattern, points, entries in _phrases():
        if phrase in text and pattern.search(text):  # the first is fast
            yield from _in_order(entries, points)


def _in_order(entries: tuple[str, ...], points: float) -> Iterator[tuple[str, float]]:
    for rank, entry in enumerate(entries):
        yield entry, points * LESS_LIKELY**rank


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str], float, tuple[str, ...]], ...]:
    """Return each phrase, its pattern, its points and its entries. A phrase does not begin inside a word."""
    pairs = [(_normal(phrase), symptom.entries) for symptom in SYMPTOMS for phrase in symptom.phrases]
    pairs += [(_normal(phrase), (entry,)) for entry, lines in PHRASES.items() for phrase in lines.split("\n")]
    return tuple(
        (
            phrase,
            re.compile(rf"(?<!\w){re.escape(phrase)}"),
            PHRASE_POINTS + min(phrase.count(" ") + 1, MAX_WORDS),
            entries,
        )
        for phrase, entries in pairs
        if phrase
    )


# Words


def _word_points(words: frozenset[str]) -> dict[str, float]:
    """Return the points of each entry for the wording that shares the rarest words with the text.

    They are the weight of the shared words times their part of the wording, or of the text if that is larger.
    """
    best: dict[str, float] = {}
    weights = _weights()
    size = sum(weights.get(word, math.log(len(ENTRIES))) for word in words)
    for entry, wording, part in _wordings():
        shared = sum(weights[word] for word in wording & words)
        points = part * shared * shared / min(sum(weights[word] for word in wording), size or math.inf)
        if points >= max(MIN_WORD_POINTS, best.get(entry, 0.0)):
            best[entry] = points
    return best


_WORD = re.compile(r"\w[\w.+-]*\w|\w")


def _words(text: str) -> frozenset[str]:
    """Return the words of a normalised text, without their endings. The first of SAME_WORDS stands for the others."""
    stems = (_stem(word) for word in _WORD.findall(text) if word not in _common())
    return frozenset(_same().get(stem, stem) for stem in stems)


def _stem(word: str) -> str:
    """Return the beginning of a word, which is enough to tell words apart: connect, connected, connection."""
    return word[:STEM] if word.isalpha() else word


@cache
def _common() -> frozenset[str]:
    return frozenset(COMMON_WORDS.split())


@cache
def _same() -> dict[str, str]:
    groups = [[_stem(word) for word in line.split()] for line in SAME_WORDS.split("\n")]
    return {stem: group[0] for group in groups for stem in group}


@cache
def _wordings() -> tuple[tuple[str, frozenset[str], float], ...]:
    """Return each wording as its entry, its words, and the part of the points that it gives.

    Wordings are also the title of an entry, its whole text, and a row of the table without an error.
    """
    given = [(entry.id, entry.title, 1.0) for entry in ENTRIES.values()]
    given += [(mistake.id, " ".join(ENTRIES[mistake.id].texts.values()), WHOLE_TEXT) for mistake in MISTAKES]
    given += [(symptom.entries[0], symptom.shown, 1.0) for symptom in SYMPTOMS if "`" not in symptom.shown]
    given += [(entry, line, 1.0) for entry, lines in WORDINGS.items() for line in lines.split("\n")]
    found = [(entry, _words(_normal(wording)), part) for entry, wording, part in given]
    return tuple((entry, words, part) for entry, words, part in found if words)


@cache
def _weights() -> dict[str, float]:
    """Return the weight of each word: the fewer entries it occurs in, the more."""
    entries = Counter(word for word, _ in {(word, entry) for entry, words, _ in _wordings() for word in words})
    return {word: math.log(len(ENTRIES) / count) for word, count in entries.items()}
