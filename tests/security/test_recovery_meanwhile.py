"""What happens to an account during a recovery, or twice at once, gives nothing away."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text, update

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.extensions import db, transaction
from tests.support.accounts import ADDRESS, make_account
from tests.support.recovery import CHOSEN, ask, choose, enter

NUMBER = "+41791234567"


def test_a_form_sent_twice_changes_the_password_once(person):
    row = make_account()
    enter(ask(person))
    fields = {"password": CHOSEN, "confirmation": CHOSEN}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: person.post(person.path, **fields), range(4)))
    assert {answer.status_code for answer in answers} == {303}
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 2


@pytest.mark.parametrize("together", [False, True])
def test_of_two_recoveries_one_wins_and_the_other_is_told(another, together):
    row = make_account()
    one, two = another(), another()
    for person in (one, two):
        enter(ask(person))
    passwords = ["quatre gros hiboux gris", "cinq petits renards roux"]
    if together:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(choose, (one, two), passwords))
    else:
        for person, password in zip((one, two), passwords, strict=True):
            choose(person, password)
    assert sorted(person.step for person in (one, two)) == ["recovery", "sign-in"]
    loser, winner = sorted((one, two), key=lambda person: person.step)
    assert "vient d’être modifié ailleurs" in loser.page.text
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 2
    won = passwords[(one, two).index(winner)]
    winner.two_factors(ADDRESS, won)
    assert winner.callback["code"]


def wait_until_blocked(connection):
    """Until somebody waits for what this connection holds; SQLite lets nobody come so far."""
    if connection.dialect.name != "postgresql":
        return
    blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if connection.execute(blocked).scalar():
            return
    raise TimeoutError("nobody waits")


def test_a_change_in_the_very_moment_of_writing_wins(person):
    """It commits after the recovery has read the account, and before it writes."""
    row = make_account()
    enter(ask(person))
    before = accounts.by_id(row).password_hash
    db.session.rollback()
    with db.engine.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(update(Account).values(epoch=Account.epoch + 1))
        chosen = pool.submit(choose, person)
        wait_until_blocked(other)
        other.commit()
        chosen.result()
    assert person.step == "recovery"
    db.session.expire_all()
    assert accounts.by_id(row).password_hash == before


@pytest.mark.parametrize("change", [{"status": "frozen"}, {"epoch": Account.epoch + 1}])
@pytest.mark.parametrize("codes", [0, 1, 2])
def test_what_changes_the_account_meanwhile_ends_the_recovery(person, change, codes):
    row = make_account(phone=NUMBER)
    ask(person)
    for to in (ADDRESS, NUMBER)[:codes]:
        enter(person, to)
    before = accounts.by_id(row).password_hash
    with transaction():
        db.session.execute(update(Account).where(Account.id == row).values(**change))
    if codes == 2:
        choose(person)
    else:
        enter(person, (ADDRESS, NUMBER)[codes])
    assert person.step == "recovery"
    db.session.expire_all()
    assert accounts.by_id(row).password_hash == before


def test_another_number_meanwhile_has_to_answer_itself(person):
    row = make_account(phone=NUMBER)
    enter(enter(ask(person)), NUMBER)
    with transaction():
        other = update(Account).where(Account.id == row).values(phone="+41791234568")
        db.session.execute(other)
    assert choose(person).step == "recovery-phone-code"
