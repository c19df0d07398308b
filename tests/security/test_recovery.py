"""A recovery gives nothing away, and cannot be used against the owner."""

import re

import pytest

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges import verify
from idp.challenges.challenge import Challenge
from idp.delivery import outbox
from idp.extensions import db
from idp.security import throttle
from idp.sessions.models import Authentication, BrowserSession
from tests.security.test_secrets import dump
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.recovery import CHOSEN, FORGOTTEN, ask, choose, enter, wrong_code
from tests.support.settings import override

NUMBER = "+41791234567"


# Against the owner.


def test_a_strangers_recoveries_use_up_neither_the_owners_codes_nor_their_tries(person, another):
    """Messages and tries at recovery are counted apart from those at sign-in."""
    row = make_account()
    for _ in range(5):
        stranger = ask(another())
        stranger.press("Vérifier le code", code=wrong_code(stranger))
    stranger.press("Vérifier le code", code=wrong_code(stranger))
    assert stranger.page.status == 429
    assert throttle.spent(verify.in_a_row(row)) == 0
    person.authorize().two_factors(ADDRESS)
    assert person.callback["code"]


def test_wrong_codes_at_sign_in_do_not_shut_recovery(person):
    make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    for _ in range(6):
        person.press("Vérifier le code", code=wrong_code(person))
    assert person.page.status == 429
    assert enter(ask(person)).step == "recovery-password"


def test_one_mailbox_gets_few_messages_however_many_browsers_ask(another, inbox):
    make_account()
    for number in range(12):
        spelt = ADDRESS.upper() if number % 2 else ADDRESS
        ask(another(), spelt)
    outbox.deliver_due("test")
    assert len(inbox.messages) == 5


def test_one_network_cannot_write_to_many_people(app, another, inbox):
    for number in range(8):
        make_account(f"p{number}@example.ch")
    with override(app, send_limit_network=3):
        steps = [ask(another(), f"p{number}@example.ch").step for number in range(8)]
    assert steps == ["recovery-code"] * 3 + ["recovery"] * 5
    outbox.deliver_due("test")
    assert len(inbox.messages) == 3


def test_asking_changes_nothing_for_the_owner(person, another):
    row = make_account()
    ask(another())
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 1
    person.authorize().two_factors(ADDRESS)
    ask(another())
    assert person.authorize(prompt="none").callback["code"]


# Steps, browsers, tabs.


def at(person, step):
    return f"{person.path.rsplit('/', 1)[0]}/{step}"


@pytest.mark.parametrize("step", ["recovery-phone-code", "recovery-password"])
@pytest.mark.parametrize("codes", [0, 1])
def test_no_step_can_be_skipped(person, step, codes):
    row = make_account(phone=NUMBER)
    ask(person)
    if codes:
        enter(person)
    here = person.step
    fields = {"code": "123456", "password": CHOSEN, "confirmation": CHOSEN}
    if here != step:
        answer = person.post(at(person, step), **fields)
        assert answer.headers["Location"].endswith(f"/{here}")
        assert person.get(at(person, step)).step == here
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 1


def test_a_recovery_signs_nobody_in(person):
    make_account()
    choose(enter(ask(person)))
    assert db.session.query(Authentication).count() == 0
    assert db.session.query(BrowserSession).count() == 0
    interaction = person.path.split("/")[2]
    for path in (f"/authorize/{interaction}", at(person, "second-factor")):
        person.get(path)
        assert (person.step, person.callback) == ("sign-in", None)


def test_codes_of_sign_in_and_recovery_are_never_taken_for_one_another(person, another):
    make_account(phone=NUMBER)
    signing = another().authorize().sign_in(ADDRESS, NEW_PASSWORD)
    ask(person)
    mailed, texted = person.code(ADDRESS), person.code(NUMBER)
    if mailed != texted:
        signing.press("Vérifier le code", code=mailed)
        assert signing.step == "second-factor"
        person.press("Vérifier le code", code=texted)
        assert person.step == "recovery-code"
    assert db.session.query(Authentication).count() == 0


def test_proofs_are_worth_nothing_in_another_browser_or_interaction(person, another):
    row = make_account()
    code = ask(person).code()
    path = person.path
    thief = another().authorize()
    assert thief.post(path, code=code).status_code == 400
    thief.get(path)
    assert (thief.step, thief.page.status) == ("error", 400)
    enter(person)
    proven = person.path
    assert thief.get(proven).step == "error"
    assert thief.post(proven, password=CHOSEN, confirmation=CHOSEN).status_code == 400
    fresh = person.authorize().press(FORGOTTEN)
    assert fresh.step == "recovery"
    fresh.post(at(fresh, "recovery-password"), password=CHOSEN, confirmation=CHOSEN)
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 1


def test_the_code_for_one_address_opens_no_other_persons_account(person):
    """Ask for one's own, prove it, and ask for somebody else's in a second tab."""
    make_account()
    make_account("thief@example.ch")
    enter(ask(person, "thief@example.ch"), "thief@example.ch")
    form, path = person.page, person.path
    tab = Person(person.app, person.inbox, person.client)
    tab.browser = person.browser
    tab.page, tab.path = form, path
    tab.press("Abandonner et revenir à la connexion").press(FORGOTTEN)
    tab.press("Recevoir le code", email=ADDRESS)
    person.page, person.path = form, path
    choose(person)
    assert person.step == "recovery-code"
    db.session.expire_all()
    assert {row.epoch for row in db.session.query(Account)} == {1}


@pytest.mark.parametrize(
    "action",
    ["recovery/begin", "recovery", "recovery-code", "recovery-password", "recovery/change"],
)
def test_a_form_posted_from_elsewhere_does_nothing(person, action):
    make_account()
    ask(person)
    before = db.session.query(Challenge).count()
    fields = {"email": "x@example.ch", "code": "1", "password": CHOSEN, "csrf_token": "junk"}
    answer = person.browser.post(at(person, action), data=fields, base_url=ISSUER)
    assert answer.status_code == 400
    assert db.session.query(Challenge).count() == before


def test_a_migration_is_not_touched_by_a_recovery(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").press(FORGOTTEN)
    person.press("Recevoir le code", email=ADDRESS)
    choose(enter(person)).two_factors(ADDRESS, CHOSEN)
    assert person.callback["code"]


def test_neither_codes_nor_passwords_nor_links_are_kept_or_logged(app, person, inbox, caplog):
    make_account(phone=NUMBER)
    with caplog.at_level("DEBUG"):
        codes = [ask(person).code(ADDRESS)]
        person.press("Vérifier le code", code=codes[0])
        codes.append(person.code(NUMBER))
        choose(person.press("Vérifier le code", code=codes[1]))
        outbox.deliver_due("test")
        link = next(m.text for m in inbox.messages if "/alert/" in m.text)
        token = re.search(r"/alert/([\w-]{43})", link)[1]
        person.get(f"/alert/{token}")
    logged = "\n".join(r.getMessage() for r in caplog.records if r.name != "mail.log")
    kept = dump()
    for secret in (*codes, CHOSEN, token):
        assert not re.search(rf"(?<![\w+/-]){re.escape(secret)}(?![\w+/-])", kept), secret
        assert secret not in logged, secret
    assert ADDRESS not in logged
