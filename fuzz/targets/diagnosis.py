"""The diagnosis and the judge: whatever came, they find what the oracle finds, and their reply can be sent.

An input is one byte for where it comes from, one for what is on record, one for a cut (0: none), one for what
came in the end; then a stream as in stretch.py.
"""

import json
import time
from collections.abc import Callable

from fuzz.targets.law import require
from fuzz.targets.stretch import place, stretched
from tandem.diagnosis.diagnose import Diagnosis, Ending, diagnose, with_offsets
from tandem.diagnosis.problem import MAX_FINDINGS, MAX_SENTENCE, Problem, size_in_json
from tandem.keys.secret import derive
from tandem.protocol.framing import PLAIN, unframe
from tandem.protocol.message import ERROR_PREFIX, FIELDS, STATUS_FINISHED, STATUS_WAITING, is_team_of_one
from tandem.protocol.reader import Reader
from tandem.records.visits import Outcome, Team
from tandem.server.judge import MAX_REPLY_BYTES, Judgement, judge
from tandem.server.message_2 import SecretOwner
from testing.messages.corpus import TEAM
from testing.messages.oracle import is_right

HEAD = 4
KEYS = (b"k" * 32, b"o" * 32)  # the server's, and the one before it
OWN = Team("INF2C", "Packet Pirates", str(TEAM["studentnr1"]), str(TEAM["studentnr2"]))
OTHER = Team("INF2D", "Other Pirates", "0987654", "7654321")
ADDRESSES = ("", "145.137.54.21", "127.0.0.1", "::1", "fe80::1")
OWNERS = (None, SecretOwner(OWN, "145.137.54.21"), SecretOwner(OTHER, "10.0.0.7"))
SLOWEST = 0.1  # seconds of CPU time for 8 KiB; the slowest that is known takes some 0.002

Fields = dict[str, str | int | None]


def run(data: bytes) -> None:
    """Any bytes: no exception; right and wrong as the oracle says; what is told can be sent, and shown."""
    where, record, cut, end = data[:HEAD].ljust(HEAD, b"\0")
    stream = stretched(data[HEAD:])
    ending = (Ending.SILENCE, Ending.END_OF_STREAM)[end % 2]
    address = ADDRESSES[where % len(ADDRESSES)]
    diagnosis = in_time(lambda: _diagnosed((stream,), ending, address))
    _is_as_the_oracle_says(diagnosis, stream)
    _can_be_told(diagnosis.problems, diagnosis.remarks, len(stream))
    if cut:
        at = place(cut, len(stream))
        again = _diagnosed((stream[:at], stream[at:]), ending, address)
        require(again == diagnosis, "a cut changes nothing", again, diagnosis)
    wanted = verdict(stream)
    judgement = judge(diagnosis, KEYS, lambda secret: OWNERS[record % len(OWNERS)])
    _is_as_the_verdict_says(judgement, wanted, stream)
    _can_be_told(
        with_offsets(judgement.problems, bytearray(stream)),
        with_offsets(judgement.remarks, bytearray(stream)),
        len(stream),
    )


def in_time(diagnosed: Callable[[], Diagnosis]) -> Diagnosis:
    """Twice too slow is slow; once may be the machine's fault."""
    for _ in range(2):
        began = time.process_time()
        diagnosis = diagnosed()
        if time.process_time() - began < SLOWEST:
            return diagnosis
    require(False, "a diagnosis takes its time, but not that long", time.process_time() - began)
    raise AssertionError


def verdict(stream: bytes, framing: str = PLAIN) -> tuple[Outcome, Fields]:
    """The outcome of these bytes by the contract, and the fields of the message if it is right."""
    if not is_right(stream, framing):
        return Outcome.REJECTED, {}
    fields: Fields = json.loads(unframe(stream, framing).decode().rpartition("}")[0] + "}")
    if fields["clientid"] == 1:
        return Outcome.MESSAGE_1, fields
    sender, mate = str(fields["studentnr1"]), str(fields["studentnr2"])
    orders = [(mate, sender), (sender, mate)] if is_team_of_one(sender, mate) else [(mate, sender)]
    given = {
        derive(key, Team(str(fields["classname"]), str(fields["teamname"]), *pair)) for key in KEYS for pair in orders
    }
    return (Outcome.MESSAGE_2 if fields["secret"] in given else Outcome.REJECTED), fields


def eight_fields(reply: bytes) -> Fields:
    """The fields of a reply, after it was held against what every reply must be."""
    require(len(reply) <= MAX_REPLY_BYTES, "a reply has at most 1,000 bytes", len(reply))
    require(reply[:1] == b"{" and reply[-1:] == b"}", "a reply is an object, nothing around it", reply)
    fields: Fields = json.loads(reply.decode())
    require(tuple(fields) == FIELDS, "a reply has the eight fields, in their order", reply)
    texts = [value for name, value in fields.items() if name != "clientid"]
    require(all(isinstance(text, str) for text in texts), "text is text", reply)
    require(type(fields["clientid"]) is int, "clientid is a number", reply)
    require(str(fields["status"]).isprintable(), "a status can be shown", reply)
    return fields


def _diagnosed(pieces: tuple[bytes, ...], ending: Ending, address: str) -> Diagnosis:
    reader = Reader()
    for piece in pieces:
        reader.feed(piece)
    return diagnose(reader, ending, address)


def _is_as_the_oracle_says(diagnosis: Diagnosis, stream: bytes) -> None:
    right = is_right(stream)
    require(right == (not diagnosis.problems), "right is right", right, diagnosis.problems)
    if diagnosis.repaired:
        offered = diagnosis.repaired.encode()
        require(is_right(offered), "what is offered is right", offered)
        again = _diagnosed((offered,), Ending.SILENCE, "")
        require(not again.problems, "what is offered is accepted", offered, again.problems)


def _is_as_the_verdict_says(judgement: Judgement, wanted: tuple[Outcome, Fields], stream: bytes) -> None:
    outcome, fields = wanted
    reply = eight_fields(judgement.reply)
    if outcome is Outcome.REJECTED:
        require(judgement.outcome in (Outcome.REJECTED, Outcome.NOTHING), "wrong is refused", judgement)
        require(str(reply["status"]).startswith(ERROR_PREFIX) and bool(judgement.problems), "and told so", judgement)
        require(reply["secret"] == "", "and gets no secret", judgement)
        return
    require(judgement.outcome is outcome, "right is accepted", judgement, wanted)
    require(judgement.team is not None and not judgement.problems, "and belongs to a team", judgement)
    added = {"status": STATUS_WAITING if outcome is Outcome.MESSAGE_1 else STATUS_FINISHED, "secret": judgement.secret}
    require(reply == {**fields, **added}, "fields come back as they were received", reply, fields)
    if outcome is Outcome.MESSAGE_1 and judgement.team:
        require(judgement.secret == derive(KEYS[0], judgement.team), "the newest key makes the secret", judgement)
    else:
        require(judgement.secret == fields["secret"], "the secret stays", judgement)


def _can_be_told(problems: tuple[Problem, ...], remarks: tuple[Problem, ...], size: int) -> None:
    require(len(problems) + len(remarks) <= MAX_FINDINGS, "what is found is bounded", len(problems))
    for problem in (*problems, *remarks):
        require(problem.offset is None or 0 <= problem.offset <= size, "a place is in the message", problem)
        words = problem.sentence
        require(size_in_json(words) <= MAX_SENTENCE, "a sentence is bounded", words)
        for shown in (words, problem.what, problem.help):
            require(shown.isprintable(), "words can be shown", shown)
