"""The three requests of single sign-on inside this process: what they ask of the database, and where time goes.

python -m bench.inside [cycles]
"""

import cProfile
import pstats
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import SCOPE
from idp.app import create_app
from idp.extensions import db
from idp.keys import kek
from tests.support import database, portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.settings import make_settings
from tests.support.statements import counted
from tests.support.tokens import redeem, userinfo


@contextmanager
def somebody() -> Iterator[Person]:
    """Who has signed in, on SQLite."""
    inbox = Inbox()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kek.create(folder / "kek.json")
        url = f"sqlite:///{folder}/seuil.db"
        app = create_app(make_settings(url, folder, smtp_port=inbox.smtp_port, log_level="WARNING"))
        with app.app_context():
            database.prepare()
            make_account()
            person = Person(app, inbox, portal.register())
            person.authorize(scope=SCOPE).two_factors(ADDRESS)
            yield person
            db.session.remove()
            db.engine.dispose()
        inbox.stop()


def steps(person: Person) -> dict[str, Callable[[], object]]:
    """Each as a relying party would ask for it, one after the other."""
    got: dict[str, str] = {}
    return {
        "authorize": lambda: person.authorize(scope=SCOPE),
        "token": lambda: got.update(redeem(person)),
        "userinfo": lambda: userinfo(person, got["access_token"]),
    }


def statements() -> dict[str, int]:
    """How many each step sends on either engine, BEGIN and COMMIT not counted, once what is cached is there."""
    counts = {}
    with somebody() as person:
        for _time in range(2):
            for name, step in steps(person).items():
                with counted() as sent:
                    step()
                counts[name] = len(sent)
    return counts


def profile(cycles: int) -> pstats.Stats:
    """Of so many sign-ons, the test client's own share included."""
    with somebody() as person:
        acts = steps(person).values()
        profiler = cProfile.Profile()
        for number in range(cycles + 20):
            if number == 20:
                profiler.enable()
            for act in acts:
                act()
        profiler.disable()
    return pstats.Stats(profiler)


def shares(found: pstats.Stats) -> dict[str, float]:
    """Percent of the time that was spent in each package, what it calls not counted; the largest first."""
    spent: Counter[str] = Counter()
    for (path, _line, name), (_calls, _all, own, *_rest) in found.stats.items():  # type: ignore[attr-defined]
        spent[_package(path, name)] += own
    return {package: 100 * own / spent.total() for package, own in spent.most_common()}


def _package(path: str, name: str) -> str:
    """Whose code a function is; compiled ones say it in their name."""
    compiled = ("sqlite3", "cryptography")
    if path == "~":
        return next((one for one in compiled if one in name), "built-in functions")
    parts = Path(path).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    return next((own for own in ("idp", "tests") if own in parts), "standard library")


if __name__ == "__main__":
    found = profile(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    for package, share in shares(found).items():
        if share >= 1:
            print(f"{share:5.1f} %  {package}")
    found.sort_stats("cumtime").print_stats(80)
