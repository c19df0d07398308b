"""What single sign-on costs: authorize with a session, code, token with an RS256 ID token, userinfo.

python -m bench.sso [rounds] [cycles] [checkout ...]

One process of Seuil on SQLite, one on PostgreSQL, and one of npm's oidc-provider, which keeps everything in
memory; likewise for other checkouts of the same schema. All of them are on one core, and what asks them (and
PostgreSQL) on another; one request at a time, over a connection that stays open. In each round every server has
its turn, so that all share what else the machine does.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.inside import statements
from bench.load import STEPS
from bench.providers import LOAD_CORE, Server, on_core, peer, seuil
from tests.support.inbox import Inbox
from tests.support.postgres import Cluster

PEER = "oidc-provider"


@dataclass(frozen=True)
class Cost:
    """Milliseconds for one request: processor time of the server, and until the answer was there."""

    cpu: float
    wall: float


Round = dict[str, Cost]
"""What each step cost."""


def measure(rounds: int, cycles: int, checkouts: list[Path]) -> dict[str, list[Round]]:
    """So many rounds of so many sign-ons at each provider, after one that does not count."""
    with ExitStack() as stack, on_core(LOAD_CORE):
        servers = [*_ours(stack, checkouts), stack.enter_context(peer(PEER))]
        for server in servers:
            one_round(server, cycles)
        measured: dict[str, list[Round]] = {server.name: [] for server in servers}
        for _number in range(rounds):
            for server in servers:
                measured[server.name].append(one_round(server, cycles))
            servers = [*servers[1:], servers[0]]
        return measured


def _ours(stack: ExitStack, checkouts: list[Path]) -> Iterator[Server]:
    """One of each checkout on each engine."""
    inbox = Inbox()
    stack.callback(inbox.stop)
    cluster = Cluster()
    stack.callback(cluster.stop)
    for number, checkout in enumerate(checkouts):
        for engine in ("SQLite", "PostgreSQL"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sqlite = f"sqlite:///{folder}/seuil.db"
            url = sqlite if engine == "SQLite" else cluster.url(f"bench{number}")
            name = engine if len(checkouts) == 1 else f"{engine} {checkout.name}"
            yield stack.enter_context(seuil(name, url, folder, inbox, checkout))


def one_round(server: Server, cycles: int) -> Round:
    """So many sign-ons, step by step: the codes first, then all tokens, then all userinfo."""
    carried, costs = [""] * cycles, {}
    server.load.anew()
    for step in STEPS:
        act: Callable[[str], str] = getattr(server.load, step)
        begun, walls, fresh = server.cpu(), [], []
        for one in carried:
            at = time.perf_counter()
            fresh.append(act(one))
            walls.append(time.perf_counter() - at)
        used = server.cpu() - begun
        costs[step] = Cost(used / cycles * 1000, statistics.median(walls) * 1000)
        carried = fresh
    return costs


def report(measured: dict[str, list[Round]]) -> None:
    """Medians of the rounds, and how many times the peer's, round by round."""
    print(f"{'':28}" + "".join(f"{title:>12}" for title in (*STEPS, "all", "ratio", "from-to")))
    for name, rounds in measured.items():
        for what in ("cpu", "wall"):
            ours, theirs = _columns(rounds, what), _columns(measured[PEER], what)
            ratios = [own / other for own, other in zip(ours[-1], theirs[-1], strict=True)]
            cells = (*map(statistics.median, ours), statistics.median(ratios))
            spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
            title = f"{name}, {what} ms"
            print(f"{title:28}" + "".join(f"{cell:12.2f}" for cell in cells) + f"{spread:>12}")


def _columns(rounds: list[Round], what: str) -> list[list[float]]:
    """Of each step and of all together, a number for each round."""
    steps = [[getattr(one[step], what) for one in rounds] for step in STEPS]
    return [*steps, [sum(values) for values in zip(*steps, strict=True)]]


if __name__ == "__main__":
    wanted = [int(number) for number in sys.argv[1:3]] + [9, 200][len(sys.argv) - 1 :]
    here = Path(__file__).parents[1]
    report(measure(*wanted, [*map(Path, sys.argv[3:]), here]))
    counts = statements()
    print(f"{'SQL statements':28}" + "".join(f"{counts[step]:12}" for step in STEPS))
