"""Every peer does the work: message 1, the handover, message 2, and no to what is wrong."""

from collections.abc import Callable, Iterator

import pytest
from _pytest.mark import ParameterSet

from bench.compare import PEERS
from bench.contenders import LIMIT, Running, limit, peer, running
from bench.peers import epoll_bare, work
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, decode
from testing.processes import tandem
from testing.raw_sockets import encoded, message_1, message_2, raw, visit


def peer_case(name: str) -> ParameterSet:
    return pytest.param(name, marks=[pytest.mark.needs_extra] if "uvloop" in name else [])


@pytest.fixture(scope="module", params=[*map(peer_case, PEERS), LIMIT])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Each of the peers, and the limit where it can be built; with CI=true it must be."""
    if request.param == LIMIT:
        request.getfixturevalue("compiler")
        contender = limit(tmp_path_factory.mktemp("limit"))
    else:
        contender = peer(request.param)
    with running(contender) as started:
        yield started


def port(server: Running) -> int:
    return int(server.address.rpartition(":")[2])


def test_one_exchange_as_a_student_makes_it(server: Running) -> None:
    first = message_1()
    handover = visit("127.0.0.1", port(server), encoded(first))
    assert handover | {"secret": "", "status": ""} == first
    assert (len(handover["secret"]), handover["status"]) == (64, STATUS_WAITING)
    last = visit("127.0.0.1", port(server), encoded(message_2(handover)))
    assert last == message_2(handover) | {"status": STATUS_FINISHED}


def test_exchanges_of_the_load(server: Running) -> None:
    code, out, err = tandem("bench", "--server", server.address, "--count", "20", "--concurrency", "8")
    assert (code, err) == (0, ""), out


def test_a_silent_connection_holds_up_nobody(server: Running) -> None:
    with raw("127.0.0.1", port(server)) as silent:
        assert b"connection" in silent.take_welcome()
        assert visit("127.0.0.1", port(server), encoded(message_1()))["status"] == STATUS_WAITING


def test_one_that_goes_away_harms_nobody(server: Running) -> None:
    with raw("127.0.0.1", port(server)) as leaving:
        leaving.take_welcome()
        leaving.reset()
    assert visit("127.0.0.1", port(server), encoded(message_1()))["status"] == STATUS_WAITING


def answered_one() -> bytes:
    return work.answer(encoded(message_1()))


HANDOVER = decode(answered_one()).fields()
WRONG = {
    "nothing": b"",
    "no JSON": b"{]",
    "no object": b"[1]",
    "deep": b"[" * 8000,
    "a field missing": encoded({name: value for name, value in message_1().items() if name != "ip"}),
    "a field too many": encoded(message_1(extra="")),
    "a number in the place of text": encoded(message_1(teamname=7)),
    "too long": encoded(message_1(classname="x" * 65)),
    "another client id": encoded(message_1(clientid=3)),
    "true as a client id": encoded(message_1(clientid=True)),
    "not swapped": encoded(HANDOVER | {"clientid": 2}),
    "another secret": encoded(message_2(HANDOVER, secret="0" * 64)),
    "half a pair in the secret": encoded(message_2(HANDOVER, secret="\ud800")),
    "half a pair in the name": encoded(message_1(teamname="\ud800")),
}


WORKS = pytest.mark.parametrize("answer", [work.answer, epoll_bare.reply_to], ids=["work", "epoll_bare"])


@WORKS
@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_the_work_says_no_to_what_is_wrong(data: bytes, answer: Callable[[bytes], bytes]) -> None:
    reply = decode(answer(data))
    assert reply.status.startswith("error: ")
    assert reply.secret == ""


@WORKS
@pytest.mark.parametrize("teamname", ["Team1", 'in "quotes"', "Größe"])
def test_the_work_says_yes_to_what_is_right(teamname: str, answer: Callable[[bytes], bytes]) -> None:
    handover = decode(answer(encoded(message_1(teamname=teamname)))).fields()
    assert (handover["status"], handover["teamname"]) == (STATUS_WAITING, teamname)
    assert decode(answer(encoded(message_2(handover)))).status == STATUS_FINISHED
