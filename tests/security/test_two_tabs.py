"""Two tabs act on one interaction at the same moment: exactly one of them acts (DESIGN 4, row lock)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from sqlalchemy import Connection, Engine, select, text

from idp.accounts import account as accounts
from idp.challenges.challenge import Challenge
from idp.extensions import db
from idp.flow.interaction import Interaction
from idp.sessions import browser
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER
from tests.support.people import PASSWORD
from tests.support.together import together

ADDRESSES = ("one@example.ch", "other@example.ch")


@contextmanager
def held_up(waiting: int) -> Iterator[None]:
    """Hold interactions until so many others wait: then nobody was simply late.

    The throttle is held too: whoever did not wait for the interaction, and has looked where it stands,
    waits there. On SQLite there is one writer at a time, and nothing to hold.
    """
    if db.engine.dialect.name == "sqlite":
        yield
        return
    with db.engine.connect() as holder:
        holder.execute(select(Interaction.id).with_for_update())
        holder.execute(text("LOCK TABLE throttle"))
        letting_go = Thread(target=let_go_when, args=(db.engine, holder, waiting))
        letting_go.start()
        yield
        letting_go.join()


def let_go_when(engine: Engine, holder: Connection, waiting: int) -> None:
    """End the holder's transaction once so many sessions wait; after ten seconds in any case."""
    blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    end, pause = monotonic() + 10, Event()
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while watcher.scalar(blocked) < waiting and monotonic() < end:
                pause.wait(0.02)
    finally:
        holder.rollback()


def test_two_addresses_given_at_once_are_one_address_and_one_message(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    with held_up(waiting=2):
        answers = together(2, lambda tab: person.post(person.path, email=ADDRESSES[tab]))
    assert [answer.status_code for answer in answers] == [303, 303]
    db.session.rollback()
    challenge = db.session.query(Challenge).one()
    assert challenge.destination in ADDRESSES
    assert person.get(person.path).step == "email-code"
    assert challenge.destination in person.page.text


def test_single_sign_on_and_a_change_of_the_account_do_not_wait_for_each_other(
    app, person, monkeypatch
):
    """One holds the session and needs the account, the other the account and needs the session."""
    make_account()
    person.authorize().two_factors(ADDRESS)
    person.get("/account/password")
    form = next(form for form in person.page.forms if "password" in form.fields)
    wrong = {name: "wrong wrong wrong" for name in form.fields if name != "csrf_token"}
    touch, held = browser.touch, accounts.held
    monkeypatch.setattr(browser, "touch", lambda session: slowly(touch(session)))
    monkeypatch.setattr(accounts, "held", lambda row: slowly(held(row)))
    path = person.authorize_path()

    def tab(number):
        another = app.test_client()
        another.environ_base["HTTP_REFERER"] = f"{ISSUER}/"
        another._cookies = dict(person.browser._cookies)
        if number:
            return another.get(path, base_url=ISSUER).status_code
        return another.post(
            "/account/password", data=form.fields | wrong, base_url=ISSUER
        ).status_code

    assert sorted(together(2, tab)) == [303, 422]


def slowly(result):
    """The other tab gets as far meanwhile."""
    Event().wait(0.3)
    return result
