"""A recovery tells nothing, gives nothing away, and cannot be used against the owner."""

import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urljoin

import pytest
import requests
import time_machine
from sqlalchemy import text, update

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges import verify
from idp.challenges.challenge import Challenge
from idp.challenges.issue import code_of
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage
from idp.extensions import db, transaction
from idp.security import throttle
from idp.sessions.models import Authentication, BrowserSession
from tests.security.test_secrets import dump
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Page, Person
from tests.support.people import PASSWORD
from tests.support.server import serving
from tests.support.settings import override
from tests.support.surfer import Answer

FORGOTTEN = "Mot de passe oublié ?"
SAVE = "Enregistrer le mot de passe"
CHOSEN = "quatre gros hiboux gris"
NUMBER = "+41791234567"
FROZEN = "frozen@example.ch"
EACH = 12
KINDS = {
    "an account": ADDRESS,
    "no account's address": "nobody@example.ch",
    "an old identifier": "jeanne",
    "no address at all": "n’importe quoi",
    "nothing": "",
    "a frozen account": FROZEN,
}
NOBODY = [address for kind, address in KINDS.items() if kind != "an account"]


@pytest.fixture
def another(app, inbox, portal):
    return lambda: Person(app, inbox, portal)


@pytest.fixture
def people(app):
    """Everybody of KINDS who exists."""
    make_account()
    frozen = make_account(FROZEN)
    with transaction():
        db.session.execute(update(Account).where(Account.id == frozen).values(status="frozen"))


def ask(person, address=ADDRESS):
    return person.authorize().press(FORGOTTEN).press("Recevoir le code", email=address)


def enter(person, to=ADDRESS):
    return person.press("Vérifier le code", code=person.code(to))


def choose(person, password=CHOSEN):
    return person.press(SAVE, password=password, confirmation=password)


def wrong_code(person):
    """Not the awaited one, whoever's it is."""
    here = person.path.split("/")[2]
    row = db.session.query(Challenge).filter_by(interaction_id=here, closed_at=None).one()
    right = code_of(row.secret, row.counter)
    return f"{(int(right) + 1) % 10**6:06}"


def bare(page, typed):
    """What can be compared."""
    look = re.sub(r'(name="csrf_token" value=")[^"]*|/interaction/[\w-]+', r"\1", page.source)
    shown = typed.replace("'", "&#39;")
    return page.status, look.replace(shown, "") if shown else look


# Alike.


@pytest.mark.usefixtures("people")
def test_every_page_is_the_same_whoever_is_asked_for(another):
    """The ask, a wrong code, five of them, a resend too soon and in time, a late code, a sixth message."""
    start = clock.now()
    seen = {}
    for kind, typed in KINDS.items():
        with time_machine.travel(start, tick=False) as now:
            person = another()
            pages = [ask(person, typed).page]
            typed_codes = [*[wrong_code(person)] * 6, "12"]
            pages += [person.press("Vérifier le code", code=code).page for code in typed_codes]
            pages.append(person.press("Envoyer le code à nouveau").page)
            for _ in range(5):
                now.shift(timedelta(seconds=31))
                pages.append(person.press("Envoyer le code à nouveau").page)
            now.shift(timedelta(minutes=15))
            pages.append(person.press("Vérifier le code", code="123456").page)
            pages.append(person.press("Envoyer le code à nouveau").page)
            seen[kind] = [bare(page, typed) for page in pages]
    statuses = [status for status, _text in seen["an account"]]
    assert statuses == [200, *[422] * 5, 429, 422, 429, *[200] * 4, 429, 422, 200]
    for kind, pages in seen.items():
        for number, page in enumerate(pages):
            assert page == seen["an account"][number], (kind, number)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("typed", KINDS.values(), ids=KINDS)
def test_tries_and_messages_of_an_address_are_shared_by_browsers_also_when_it_is_nobodys(
    another, typed
):
    first = ask(another(), typed)
    for _ in range(5):
        first.press("Vérifier le code", code=wrong_code(first))
    second = ask(another(), typed)
    second.press("Vérifier le code", code=wrong_code(second))
    assert second.page.status == 429
    for _ in range(3):
        assert ask(another(), typed).step == "recovery-code"
    sixth = ask(another(), typed)
    assert (sixth.step, sixth.page.status) == ("recovery", 429)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("typed", NOBODY)
def test_a_decoy_sends_nothing_and_no_code_is_ever_right_for_it(person, inbox, typed):
    ask(person, typed)
    outbox.deliver_due("test")
    assert inbox.messages == []
    assert db.session.query(OutboxMessage).count() == 0
    row = db.session.query(Challenge).one()
    person.press("Vérifier le code", code=code_of(row.secret, row.counter))
    assert (person.step, person.page.status) == ("recovery-code", 422)
    assert "Ce code n’est pas le bon" in person.page.text


class Prober:
    """One browser that asks for recoveries over real HTTP, each in a request of its own."""

    def __init__(self, person, url):
        self.person, self.url = person, url

    def probe(self, typed):
        """Seconds and look of the ask, and of a resend that is allowed."""
        http = requests.Session()
        answer = http.get(self.url + self.person.authorize_path(), timeout=10)
        answer = self.press(http, answer, FORGOTTEN)
        asked = self.press(http, answer, "Recevoir le code", email=typed)
        again = self.press(http, asked, "Envoyer le code à nouveau")
        return [
            (one[0].elapsed.total_seconds(), self.look(one[1], typed)) for one in (asked, again)
        ]

    def press(self, http, answer, button, **fields):
        answer = answer[1] if isinstance(answer, tuple) else answer
        form = next(f for f in Page(Answer(answer)).forms if button in f.buttons)
        target = urljoin(answer.url, form.action)
        first = http.post(target, data=form.fields | fields, timeout=30, allow_redirects=False)
        if first.status_code != 303:
            return first, first
        return first, http.get(urljoin(self.url, first.headers["Location"]), timeout=30)

    @staticmethod
    def look(answer, typed):
        shape = re.sub(r'(name="csrf_token" value=")[^"]*|/interaction/[\w-]+', r"\1", answer.text)
        shape = re.sub(r"\d+ (secondes?|s)\b|data-countdown=\"\d+\"", "", shape)
        headers = {k: v for k, v in answer.headers.items() if k not in {"Date", "Content-Length"}}
        headers.pop("Set-Cookie", None)
        shown = typed.replace("'", "&#39;")
        return answer.status_code, shape.replace(shown, "") if shown else shape, headers


@pytest.fixture
def server(app):
    """The floor of 400 ms, as in production; nothing waits for half a minute between two messages."""
    for number in range(EACH):
        make_account(f"account{number}@example.ch", phone=NUMBER if number % 2 else None)
        make_account(f"frozen{number}@example.ch")
    with transaction():
        frozen = update(Account).where(Account.email.like("frozen%"))
        db.session.execute(frozen.values(status="frozen"))
    changes = {
        "sign_in_floor": timedelta(milliseconds=400),
        "resend_after": timedelta(milliseconds=1),
        "send_limit_network": 10_000,
    }
    with serving(app.extensions["seuil.settings"], **changes) as url:
        yield url


def lane(prober, kinds, which):
    """Every third try, so that all kinds stay mixed."""
    tries = [(kind, kind.format(number)) for number in range(EACH) for kind in kinds]
    return [(kind, prober.probe(typed)) for kind, typed in tries[which::3]]


def first_quarter(seconds):
    """What a busy machine disturbs least."""
    return statistics.quantiles(seconds, n=4)[0]


def test_text_status_headers_and_time_of_the_ask_and_the_resend(person, server):
    """A difference in time that tells something is there in every round; a busy machine's is not."""
    kinds = ("account{}@example.ch", "nobody{}@example.ch", "frozen{}@example.ch", "legacy{}")
    spreads = []
    for _round in range(3):
        with ThreadPoolExecutor(3) as pool:
            lanes = [pool.submit(lane, Prober(person, server), kinds, which) for which in range(3)]
            found = [one for part in lanes for one in part.result()]
        for step in (0, 1):
            looks = {str(probes[step][1]) for _kind, probes in found}
            assert len(looks) == 1, looks
        quick = {
            (kind, step): first_quarter(p[step][0] for name, p in found if name == kind)
            for kind in kinds
            for step in (0, 1)
        }
        assert min(quick.values()) >= 0.400, quick
        of_step = [[v for (_k, s), v in quick.items() if s == step] for step in (0, 1)]
        spreads.append(max(max(values) - min(values) for values in of_step))
        if spreads[-1] < 0.005:
            return
        with transaction():
            db.session.execute(throttle.Throttle.__table__.delete())
    raise AssertionError(f"spread of the first quarters in seconds, round by round: {spreads}")


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
    own = make_account("third@example.ch")
    db.session.expire_all()
    assert {row.epoch for row in db.session.query(Account)} == {1}
    assert accounts.by_id(own).epoch == 1


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
