"""The states of a connection, as data: what each one means, how long it may last, and which state may follow it.

Knows no socket and no message. The loop (loop.py) makes every transition but closing through this table: one that is
not in it is a bug of the server. The diagram in ARCHITECTURE.md is generated from it.
"""

from collections.abc import Mapping


class State:
    """One state of a connection. Compare states by identity."""

    __slots__ = ("name", "meaning")

    def __init__(self, name: str, meaning: str) -> None:
        self.name = name
        self.meaning = meaning

    def __repr__(self) -> str:
        return self.name


FIRST_BYTE = State("FIRST_BYTE", "the welcome was sent, and nothing has come yet")
LAST_CHANCE = State("LAST_CHANCE", "the same, while the server stops")
MESSAGE = State("MESSAGE", "a part of a message came")
NO_MESSAGE = State("NO_MESSAGE", "bytes came that can never become a message, and more may come")
QUEUED = State("QUEUED", "what came waits for its turn in the slow path")
COMMITTING = State("COMMITTING", "the reply waits until its record is on disk")
SILENCED = State("SILENCED", "a wrong message that gets no reply (--errors silent)")
ANSWERED = State("ANSWERED", "the reply was sent, and most clients close now")
DRAINING = State("DRAINING", "the client has not closed yet: what still comes is discarded")
CLOSED = State("CLOSED", "the socket is closed")

STATES = (
    FIRST_BYTE,
    LAST_CHANCE,
    MESSAGE,
    NO_MESSAGE,
    QUEUED,
    COMMITTING,
    SILENCED,
    ANSWERED,
    DRAINING,
    CLOSED,
)

# The states that may follow, and when. PROTOCOL 3.
TRANSITIONS: Mapping[State, Mapping[State, str]] = {
    FIRST_BYTE: {
        QUEUED: "bytes for the slow path, or 15 minutes of silence",
        COMMITTING: "a right message 2",
        ANSWERED: "a right message 1, or the end of the stream",
        SILENCED: "the end of the stream, with --errors silent",
        LAST_CHANCE: "the server stops",
        CLOSED: "reset, or evicted",
    },
    LAST_CHANCE: {
        QUEUED: "bytes for the slow path",
        COMMITTING: "a right message 2",
        ANSWERED: "a right message 1, or the end of the stream",
        SILENCED: "the end of the stream, with --errors silent",
        CLOSED: "0.5 s of silence, reset, or evicted",
    },
    MESSAGE: {
        QUEUED: "more bytes, the end of the stream, or 3 s of silence",
        CLOSED: "reset, or evicted",
    },
    NO_MESSAGE: {
        QUEUED: "more bytes, the end of the stream, or 0.2 s of silence",
        CLOSED: "reset, or evicted",
    },
    QUEUED: {
        FIRST_BYTE: "only a balancer's header came",
        LAST_CHANCE: "the same, while the server stops",
        MESSAGE: "the message is not complete",
        NO_MESSAGE: "less than 8,192 bytes came, and no more can make them a message",
        COMMITTING: "a right message 2",
        ANSWERED: "a reply, or the end without one (--errors close)",
        SILENCED: "a wrong message, with --errors silent",
        CLOSED: "evicted",
    },
    COMMITTING: {
        ANSWERED: "committed, failed, or not known after 4 s",
        CLOSED: "the reply cannot be sent",
    },
    SILENCED: {CLOSED: "the client closes, 15 minutes pass, or evicted"},
    ANSWERED: {
        DRAINING: "after 10 ms the client has not closed",
        CLOSED: "the client has closed, or evicted",
    },
    DRAINING: {CLOSED: "the client closes, 5 s pass, or evicted"},
    CLOSED: {},
}

# Seconds that a state may last. QUEUED has no limit: the loop works on it in every turn. PROTOCOL 3.4.
LIMITS: dict[State, float] = {
    FIRST_BYTE: 900.0,  # a person may be typing, and client 2 may connect early
    LAST_CHANCE: 0.5,  # for a message that is on its way
    MESSAGE: 3.0,  # of silence: every byte starts it again
    NO_MESSAGE: 0.2,  # of silence: so the answer does not depend on how TCP cut the bytes
    COMMITTING: 4.0,  # then the reply asks to send it again, before clients give up at 5 s
    SILENCED: 900.0,
    ANSWERED: 0.01,
    DRAINING: 5.0,
}

# The poller reports bytes in these states.
WATCHED = frozenset({FIRST_BYTE, LAST_CHANCE, MESSAGE, NO_MESSAGE, SILENCED, DRAINING})
# In these no record of the visit was given to the committer.
UNANSWERED = frozenset({FIRST_BYTE, LAST_CHANCE, MESSAGE, NO_MESSAGE, QUEUED})


class IllegalTransitionError(Exception):
    """A transition that is not in TRANSITIONS: a bug of the server."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(f"a connection cannot go from {before} to {after}")
        self.before = before
        self.after = after
