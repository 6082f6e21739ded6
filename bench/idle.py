"""The cost of 10,000 idle connections for a server: memory for each, and CPU time for the exchanges beside them."""

import statistics

from bench.contenders import Contender, Running, running
from bench.crowds import CROWDS, crowd
from bench.measure import Load
from bench.pairs import Pairs, measure_pairs, ratio_of
from bench.vitals import vitals

IDLE = "10,000 silent connections"  # a crowd
MAX_BYTES = 256  # resident, a connection: the aim


def idle_bytes(contender: Contender, cpu: int, load: Load) -> float:
    """Resident memory for each idle connection, of a server that has served before."""
    with running(contender, cpu) as server:
        load.warm_up(server)
        before = vitals(server.pid, server.folder).memory
        with crowd(IDLE, _address(server)):
            return (vitals(server.pid, server.folder).memory - before) / CROWDS[IDLE].many


def cost_beside_idle(contender: Contender, cpu: int, load: Load, rounds: int) -> Pairs:
    """CPU µs for an exchange without and with the idle connections, round by round."""

    def without() -> float:
        with running(contender, cpu) as server:
            return load.measure(server).cpu

    def beside() -> float:
        with running(contender, cpu) as server, crowd(IDLE, _address(server)):
            return load.measure(server).cpu

    return measure_pairs(rounds, without, beside)


def memory_verdict(name: str, size: float) -> str:
    verdict = "pass" if size <= MAX_BYTES else "fail"
    return f"{verdict}: {name} has {size:,.0f} bytes for an idle connection, at most {MAX_BYTES} are wanted"


def cost_verdict(name: str, pairs: Pairs) -> str:
    """Whether the cost beside idle connections lies within the spread of the cost without them."""
    without, beside = zip(*pairs, strict=True)
    middle = statistics.median(beside)
    verdict = "pass" if middle <= max(without) else "fail"
    return (
        f"{verdict}: an exchange with {name} costs {middle:.0f} µs beside {IDLE}, "
        f"{min(without):.0f}-{max(without):.0f} µs without; the ratio is {ratio_of(pairs)}, {len(pairs)} rounds"
    )


def _address(server: Running) -> tuple[str, int]:
    host, _, port = server.address.rpartition(":")
    return host, int(port)
