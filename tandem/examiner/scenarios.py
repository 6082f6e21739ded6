"""All scenarios, as data: those of the assignment first, then those that show how robust a program is."""

from tandem.examiner import facts as f
from tandem.examiner.scenario import Approach, Check, Fault, Kind, Path, Scenario

FINISHED = (frozenset({f.ACCEPTED_2}),)
ENDED_OR_SAID_SO = (frozenset({f.ENDED_1}), frozenset({f.SAID_SO_1}))
ANYTHING = (frozenset[str](),)


def _finishes(id: str, clause: str, help: str, kind: Kind = "robustness", needs: frozenset[str] = frozenset()) -> Check:
    """Make the check that the exchange finishes all the same."""
    return Check(id, kind, clause, "Does the exchange finish?", FINISHED, help, needs)


def _forwards_nothing(id: str, help: str) -> Check:
    """Make the check that client 1 keeps a disturbed reply to itself."""
    return Check(
        id,
        "assignment",
        "5.1",
        "Does client 1 forward nothing?",
        ANYTHING,
        help,
        needs=frozenset({f.ACCEPTED_1, f.DISTURBED}),
        never=frozenset({f.HANDED_OVER}),
    )


def _ends_or_says_so(id: str, help: str) -> Check:
    """Make the check that client 1 does not wait for ever in silence."""
    return Check(
        id,
        "robustness",
        "3.4",
        "Does client 1 end or say so?",
        ENDED_OR_SAID_SO,
        help,
        needs=frozenset({f.ACCEPTED_1, f.DISTURBED}),
    )


ASSIGNMENT = (
    Scenario(
        "plain",
        "The plain exchange",
        "Client 2 is started first. Client 1 is started when client 2 listens. Nothing is disturbed.",
        (
            _finishes(
                "plain",
                "5.4",
                "The reason names the first step that did not happen. Try this step by hand with a server of your own.",
                kind="assignment",
            ),
        ),
    ),
    Scenario(
        "team-of-one",
        "A team of one",
        "The plain exchange with 0000000 as the number of the teammate.",
        (
            _finishes(
                "team-of-one",
                "5.2",
                "A team of one sends 0000000 as studentnr2. Client 2 may swap the numbers, or leave them.",
                kind="assignment",
            ),
        ),
        team={"studentnr2": "0000000"},
    ),
    Scenario(
        "other-status",
        "Another status",
        "The reply to message 1 is changed on its way: its status is an error.",
        (
            _forwards_nothing(
                "other-status",
                "Forward the reply only if its status is equal to the text: waiting for message 2.",
            ),
        ),
        faults=(Fault("replace", old=f.WAITING.encode(), new=b"error: not accepted"),),
        until="quiet",
    ),
    Scenario(
        "connection-loss",
        "The connection is lost",
        "The connection of client 1 is reset instead of the reply.",
        (
            _forwards_nothing(
                "connection-loss", "Forward only a complete reply. An exception of recv() means that none came."
            ),
            _ends_or_says_so("says-connection-loss", "Catch OSError around recv(), print it, and end the program."),
        ),
        faults=(Fault("reset", at=(0,)),),
        until="quiet",
    ),
    Scenario(
        "silence",
        "No reply comes",
        "The server takes message 1 and client 1 gets no reply. The connection stays open.",
        (
            _forwards_nothing("silence", "Forward only a complete reply."),
            _ends_or_says_so(
                "says-silence", "Set a limit with settimeout() before recv(), and say so when it has passed."
            ),
        ),
        faults=(Fault("drop", at=(0,)),),
        until="quiet",
    ),
)

ROBUSTNESS = (
    Scenario(
        "client-1-first",
        "Client 1 is started first",
        "Client 2 is started only when client 1 needs it.",
        (_finishes("client-1-first", "5.1", "Let client 1 try again, with a pause, until client 2 listens."),),
        first="client 1",
    ),
    Scenario(
        "reply-in-two",
        "The reply in two segments",
        "Each reply comes in two pieces, 0.2 seconds apart.",
        (
            _finishes(
                "reply-in-two", "1.3", "Call recv() again until the object is complete: one recv() is not one message."
            ),
        ),
        faults=(Fault("split", visit=0, pause_s=0.2),),
    ),
    Scenario(
        "reply-byte-by-byte",
        "The reply byte by byte",
        "Each reply comes one byte at a time, 5 milliseconds apart.",
        (
            _finishes(
                "reply-byte-by-byte",
                "1.3",
                "Call recv() again until the object is complete: one recv() is not one message.",
            ),
        ),
        faults=(Fault("split", visit=0, every=1, pause_s=0.005),),
    ),
    Scenario(
        "trailing-newline",
        "A newline after the reply",
        "A newline follows each reply.",
        (
            _finishes(
                "trailing-newline",
                "2.4",
                "White space after the object is allowed: json.loads() takes it, a comparison with } does not.",
            ),
        ),
        faults=(Fault("append", visit=0, new=b"\n"),),
    ),
    Scenario(
        "late-welcome",
        "A late welcome",
        "Each welcome comes 2 seconds late.",
        (_finishes("late-welcome", "3.1", "Wait for the welcome before the message is sent, at least 5 seconds."),),
        faults=(Fault("delay", visit=0, on="welcome", pause_s=2.0),),
    ),
    Scenario(
        "long-names",
        "Long names",
        "The plain exchange with a class name of 64 letters and a team name of 128.",
        (_finishes("long-names", "2.3", "Receive at least 1,000 bytes, and go on until the object is complete."),),
        team={"classname": "C" * 64, "teamname": "Team" * 32},
    ),
    Scenario(
        "raw-utf8",
        "Letters outside ASCII",
        "The plain exchange with a team name in several scripts.",
        (_finishes("raw-utf8", "1.4", "Encode and decode with UTF-8. A letter may have several bytes."),),
        team={"teamname": "Zoë Ωmega 東京"},
    ),
    Scenario(
        "port-probe",
        "A port probe at client 2",
        "The examiner connects to client 2 and closes at once, before client 1 is started.",
        (
            _finishes(
                "port-probe",
                "5.1",
                "Call accept() in a loop. A connection that closes without a message is not client 1.",
                needs=frozenset({f.APPROACHED}),
            ),
        ),
        approach=Approach(),
    ),
    Scenario(
        "garbage-connection",
        "Garbage at client 2",
        "The examiner connects to client 2, sends bytes that are no message, and closes.",
        (
            _finishes(
                "garbage-connection",
                "5.1",
                "Catch ValueError around json.loads(), and go on with the next connection.",
                needs=frozenset({f.APPROACHED}),
            ),
        ),
        approach=Approach(sends=b"GET / HTTP/1.1\r\nHost: client2\r\n\r\n\xff\xfe\x00"),
    ),
    Scenario(
        "idle-connection",
        "An idle connection at client 2",
        "The examiner connects to client 2 and stays connected in silence, before client 1 is started.",
        (
            _finishes(
                "idle-connection",
                "5.1",
                "Do not wait for one silent connection only: use a limit for each, or select over all.",
                needs=frozenset({f.APPROACHED}),
            ),
        ),
        approach=Approach(closes=False),
    ),
    Scenario(
        "delay-and-loss",
        "A slow way that loses packets",
        "Between client 1 and the others every packet takes 0.2 seconds, and one of 20 is lost.",
        (_finishes("delay-and-loss", "1.3", "TCP sends again by itself. Wait at least 5 seconds for an answer."),),
        path=Path(delay_s=0.2, loss=0.05),
    ),
    Scenario(
        "restart",
        "Started again at once",
        "Both programs are started again right after the exchange. A closed connection of client 2 is still known.",
        (_finishes("restart", "1.2", "Set SO_REUSEADDR before bind(). Without it the port stays taken for a minute."),),
        again=True,
    ),
    Scenario(
        "server-away",
        "The server comes late",
        "The port of the server is closed for 5 seconds after the start of client 1.",
        (
            Check(
                "server-away",
                "robustness",
                "1.1",
                "Does client 1 finish later, end, or say so?",
                (*FINISHED, *ENDED_OR_SAID_SO),
                "Catch ConnectionRefusedError around connect(), and say so.",
                needs=frozenset({f.SERVER_REFUSED}),
            ),
        ),
        server_away_s=5.0,
    ),
    Scenario(
        "own-name-is-loopback",
        "The name of each host is 127.0.1.1",
        "The name of each host stands for 127.0.1.1 in /etc/hosts, as on many Linux laptops.",
        (
            _finishes(
                "own-name-is-loopback",
                "1.2",
                "Listen on all addresses: bind(('', port)). gethostbyname(gethostname()) may be 127.0.1.1.",
            ),
        ),
        own_name_is_loopback=True,
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*ASSIGNMENT, *ROBUSTNESS)
