"""No code, session or token without password and code, both verified in the browser it descends from.

A state machine with two browsers, two accounts and two people of the old system takes every way it can
think of, in any order. It keeps its own book of what each browser has really shown, and holds every
authorization code that reaches a relying party against it.
"""

from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges.challenge import Challenge, Purpose
from idp.challenges.issue import code_of
from idp.extensions import db, transaction
from idp.flow.interaction import Interaction
from idp.grants.models import AuthorizationCode, Token
from idp.legacy import identity as identities
from idp.sessions.models import Authentication, BrowserSession
from tests.support import portal, strict
from tests.support.accounts import make_account
from tests.support.database import clean
from tests.support.journey import ISSUER, NEW_PASSWORD, Page, Person
from tests.support.people import PASSWORD
from tests.support.tokens import ask_token, claims_of

ACCOUNTS = ("ada@example.ch", "ben@example.ch")
LEGACY = ("jeanne", "paul")
PAGES = ("", "/sign-in", "/email", "/email-code", "/email-verified", "/phone", "/phone-code")
PAGES += ("/profile", "/done", "/second-factor", "/join")
PAGES += ("/invitation", "/legacy-contact", "/new-email", "/new-email-code")
PAGES += ("/recovery", "/recovery-code", "/recovery-phone-code", "/recovery-password")
PAGES += ("/terms", "/consent")
ACTIONS = ("/email/change", "/phone/change", "/phone/refuse", "/resend", "/channel", "/start-over")
ACTIONS += ("/join/begin", "/join/give-up")
ACTIONS += (
    "/recovery/begin",
    "/recovery/change",
    "/invitation/begin",
    "/new-email/change",
    "/refuse",
)
CODE_PAGES = ("email-code", "phone-code", "second-factor", "recovery-code", "recovery-phone-code")
CODE_PAGES += ("new-email-code",)
NEXT = ("sign-in", "email", *CODE_PAGES, "email-verified", "phone", "profile", "done")
NEXT += ("recovery", "recovery-password", "new-email", "join")
ALSO_MINE = "C’est aussi mon compte"
CHOSEN = ("quatre gros hiboux gris", "cinq petits renards roux")
NEW_ADDRESS = st.sampled_from(["new@example.ch", "newer@example.ch", ACCOUNTS[0]])
BROWSER = st.integers(0, 1)


class Book:
    """What one browser has really shown: who typed their password, and then their code."""

    def __init__(self) -> None:
        self.passwords: set[tuple[str, str]] = set()
        self.both: set[str] = set()


class TwoBrowsers(RuleBasedStateMachine):
    """`world` is (app, inbox); `reached` counts, over all runs, what was really got to."""

    world = None
    reached: ClassVar[Counter] = Counter()

    @initialize()
    def begin(self):
        app, inbox = self.world
        clean()
        inbox.clear()
        client = portal.register()
        self.people = [Person(app, inbox, client) for _ in range(2)]
        self.books = [Book(), Book()]
        self.paths, self.codes = [], []
        for who in (0, 1):
            self.people[who].authorize()
            self.settle(who)
        self.words = {}
        for address in ACCOUNTS:
            make_account(address, phone="+41791234567" if address == ACCOUNTS[0] else None)

    # What people do.

    @rule(who=BROWSER, prompt=st.sampled_from([None, None, "login", "none"]))
    def come(self, who, prompt):
        self.people[who].authorize(prompt=prompt)
        self.settle(who)

    @rule(who=BROWSER)
    def visit_the_account(self, who):
        """Whoever is not freshly signed in begins a sign-in that no relying party asked for."""
        self.people[who].get("/account")
        self.reached["account"] += self.step(who) == "account"
        self.settle(who)

    @precondition(lambda self: self.at(*NEXT))
    @rule(
        who=BROWSER,
        identity=st.sampled_from([*ACCOUNTS, *LEGACY]),
        address=NEW_ADDRESS,
        moves=st.integers(1, 8),
    )
    def go_on(self, who, identity, address, moves):
        """So many honest moves as one person: otherwise few runs would come far."""
        for _ in range(moves):
            self.next_move(who, identity, address)

    @rule(who=BROWSER, identity=st.sampled_from(LEGACY), address=NEW_ADDRESS)
    def migrate_and_sign_in(self, who, identity, address):
        """The whole way, if nothing stands in it."""
        self.people[who].authorize(prompt="login")
        self.settle(who)
        for _ in range(10):
            self.next_move(who, identity, address)

    @rule(who=BROWSER, identity=st.sampled_from(ACCOUNTS))
    def recover_and_sign_in(self, who, identity):
        """The whole way with a forgotten password, if nothing stands in it."""
        self.people[who].authorize(prompt="login")
        self.settle(who)
        self.forget(who)
        for _ in range(7):
            self.next_move(who, identity, identity)

    def next_move(self, who, identity, address):
        step, both = self.step(who), {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
        buttons = {
            "email": ("Recevoir le code", {"email": address}),
            "email-verified": ("Continuer", {}),
            "phone": ("Je ne souhaite pas donner mon numéro de téléphone", {}),
            "profile": ("Mettre à jour le compte", both),
            "done": ("Se connecter à e-services", {}),
            "recovery": ("Recevoir le code", {"email": identity}),
            "recovery-code": ("Revenir à la connexion", {}),
            "invitation": ("Revenir à la connexion", {}),
            "new-email": ("Recevoir le code", {"email": f"{len(self.codes)}@example.ch"}),
        }
        awaited = self.awaited(who)
        if step == "sign-in":
            self.sign_in(who, identity)
        elif step in CODE_PAGES and not (awaited and awaited.decoy):
            self.enter(who, awaited)
        elif step == "recovery-password":
            self.choose(who)
        elif step == "email" and ALSO_MINE in self.people[who].page.text:
            self.press(who, ALSO_MINE)
        elif step == "join":
            self.join(who)
        elif step in buttons:
            self.reached[step] += 1
            button, fields = buttons[step]
            self.press(who, button, **fields)

    @precondition(lambda self: self.at("sign-in"))
    @rule(who=BROWSER)
    def forget(self, who):
        if self.step(who) == "sign-in":
            self.press(who, "Mot de passe oublié ?")

    @rule(
        who=BROWSER,
        whom=st.sampled_from([*ACCOUNTS, *LEGACY, "nora@example.ch"]),
        moves=st.integers(0, 8),
    )
    def be_invited(self, who, whom, moves):
        """Support hands a code out; it is typed where a sign-in begins, and so many honest moves follow."""
        self.people[who].authorize(prompt="login")
        self.settle(who)
        known = accounts.by_email_key(whom)
        issue = strict.invite_back if known else strict.invite_newcomer
        issue = strict.invite if whom in LEGACY else issue
        row = str(1 + LEGACY.index(whom)) if whom in LEGACY else ""
        if not identities.claimant("portail", row):
            self.codes.append(issue(whom))
            self.type_an_invitation(who, len(self.codes) - 1)
            for _ in range(moves):
                self.next_move(who, whom, whom if "@" in whom else "new@example.ch")

    @precondition(lambda self: self.codes)
    @rule(who=BROWSER, which=st.integers(0, 20))
    def type_an_invitation(self, who, which):
        """Any that was ever handed out, by whoever has found it."""
        if self.step(who) == "sign-in":
            self.press(who, strict.INVITED)
            self.press(who, "Continuer", invitation=self.codes[which % len(self.codes)])
            self.reached["invited"] += self.step(who) in {"email", "new-email"}

    def choose(self, who):
        """A new password for whoever's mailbox answered: all that was open or half open ends."""
        here = db.session.get(Interaction, self.interaction(who))
        owner = db.session.get(Account, here.recovery_account_id)
        account, before = owner.email, owner.epoch
        chosen = next(word for word in CHOSEN if word != self.words.get(account))
        self.press(who, "Enregistrer le mot de passe", password=chosen, confirmation=chosen)
        db.session.expire_all()
        if db.session.get(Account, owner.id).epoch > before:
            self.words[account] = chosen
            self.reached["recovered"] += 1
            self.reached["brought back"] += owner.email != account
            self.words[owner.email] = chosen
            self.forget_all(account)

    @precondition(lambda self: self.at("sign-in"))
    @rule(who=BROWSER, identity=st.sampled_from([*ACCOUNTS, *LEGACY]))
    def mistype(self, who, identity):
        if self.step(who) == "sign-in":
            self.people[who].sign_in(identity, "wrong")
            self.settle(who)

    def sign_in(self, who, identity):
        person = self.people[who]
        known = {email for (email,) in db.session.query(Account.email)}
        own = self.words.get(identity, NEW_PASSWORD)
        person.sign_in(identity, own if identity in known else PASSWORD)
        if person.step == "second-factor":
            self.books[who].passwords.add((self.interaction(who), identity))
        self.settle(who)

    def join(self, who):
        """The password of the account whose address was proven here."""
        holder = db.session.get(Interaction, self.interaction(who)).holder_id
        account = db.session.get(Account, holder).email
        self.people[who].press("Continuer", password=self.words.get(account, NEW_PASSWORD))
        if self.step(who) == "second-factor":
            self.books[who].passwords.add((self.interaction(who), account))
            self.reached["joining"] += 1
        self.settle(who)

    def enter(self, who, challenge):
        if challenge is None:
            return
        code, purpose = code_of(challenge.secret, challenge.counter), challenge.purpose
        account = challenge.account_id and db.session.get(Account, challenge.account_id).email
        here, step = self.interaction(who), self.step(who)
        self.people[who].press("Vérifier le code", code=code)
        fits = purpose is Purpose.SECOND_FACTOR and step == "second-factor"
        if fits and (here, account) in self.books[who].passwords:
            self.books[who].both.add(account)
        self.settle(who)

    def press(self, who, button, **fields):
        self.people[who].press(button, **fields)
        self.settle(who)

    def awaited(self, who):
        here = self.interaction(who)
        return db.session.query(Challenge).filter_by(interaction_id=here, closed_at=None).first()

    # What attackers do.

    @rule(thief=BROWSER)
    def look_over_the_others_shoulder(self, thief):
        """Open the page that the other browser is on."""
        other = self.people[1 - thief]
        if other.page is not None:
            self.people[thief].get(other.path)
            self.settle(thief)

    @precondition(lambda self: self.at(*CODE_PAGES))
    @rule(who=BROWSER, pick=st.integers(0, 3))
    def enter_any_code_that_was_sent(self, who, pick):
        """One of the newest four, whoever it was for."""
        sent = db.session.query(Challenge).order_by(Challenge.id.desc()).limit(4).all()
        if sent and self.step(who) in CODE_PAGES:
            self.enter(who, sent[pick % len(sent)])

    @precondition(lambda self: self.paths)
    @rule(who=BROWSER, which=st.integers(0, 50), page=st.sampled_from(PAGES))
    def open_any_page_of_any_interaction(self, who, which, page):
        path = self.paths[which % len(self.paths)]
        self.people[who].get(f"/interaction/{path}{page}")
        self.settle(who)

    @precondition(lambda self: self.paths)
    @rule(who=BROWSER, which=st.integers(0, 50))
    def ask_for_the_answer_of_any_interaction(self, who, which):
        path = self.paths[which % len(self.paths)]
        self.people[who].get(f"/authorize/{path}")
        self.settle(who)

    @precondition(lambda self: self.paths and any(person.page for person in self.people))
    @rule(who=BROWSER, which=st.integers(0, 50), page=st.sampled_from([*PAGES[1:], *ACTIONS]))
    def post_anything_anywhere(self, who, which, page):
        if self.people[who].page is None:
            return
        path = self.paths[which % len(self.paths)]
        fields = {"identifier": "x", "password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
        fields |= {"email": "e@example.ch", "phone": "0791234567", "code": "000000"}
        answer = self.people[who].post(f"/interaction/{path}{page}", **fields)
        assert answer.status_code < 500

    @rule(account=st.sampled_from(ACCOUNTS))
    def the_account_changes(self, account):
        with transaction():
            row = db.session.query(Account).filter_by(email=account).first()
            if row is None:
                return
            row.epoch = row.epoch + 1
        self.forget_all(account)

    def forget_all(self, account):
        for book in self.books:
            book.both.discard(account)
            book.passwords = {entry for entry in book.passwords if entry[1] != account}

    @rule(who=BROWSER)
    def sign_out(self, who):
        person = self.people[who]
        answer = person.browser.get("/logout", base_url=ISSUER)
        page = Page(answer)
        if page.forms:
            form = page.forms[0]
            person.browser.post(form.action, data=form.fields, base_url=ISSUER)
            self.books[who].both.clear()

    # What must hold.

    def settle(self, who):
        """Note where it led; hold a code that came back against the book."""
        person = self.people[who]
        assert person.page is None or person.page.status < 500
        if person.page is not None and person.path.startswith("/interaction/"):
            here = self.interaction(who)
            if here not in self.paths:
                self.paths.append(here)
        if person.callback and "code" in person.callback:
            tokens = ask_token(person)
            assert tokens.status_code == 200
            sub = claims_of(tokens.get_json())["sub"]
            whose = db.session.query(Account).filter_by(sub=sub).one().email
            assert whose in self.books[who].both, "a token without both factors in this browser"
            self.reached["tokens"] += 1
        person.callback = None

    @invariant()
    def what_exists_descends_from_both_factors(self):
        if self.world is None or not hasattr(self, "people"):
            return
        db.session.rollback()
        for row in db.session.query(Authentication):
            challenge = db.session.get(Challenge, row.challenge_id)
            assert challenge.purpose is Purpose.SECOND_FACTOR
            assert challenge.verified_at is not None
            assert row.password_verified_at <= challenge.verified_at
            assert (challenge.account_id, challenge.epoch) == (row.account_id, row.epoch)
            assert challenge.interaction_id == row.interaction_id
        for child in (BrowserSession, AuthorizationCode, Token):
            for row in db.session.query(child):
                parent = db.session.get(Authentication, row.authentication_id)
                assert parent.account_id == row.account_id

    def teardown(self):
        db.session.rollback()

    # Looking.

    def step(self, who):
        return self.people[who].step

    def at(self, *steps):
        return any(person.step in steps for person in self.people if person.page)

    def interaction(self, who):
        parts = self.people[who].path.split("/")
        return parts[2] if len(parts) > 2 else ""


def test_no_order_of_steps_breaks_it(app, inbox, engine):
    """Longest on SQLite: what the rule rests on is asked of both engines, the orders are the same."""
    rounds = 40 if engine == "sqlite" else 12
    TwoBrowsers.world, TwoBrowsers.reached = (app, inbox), Counter()
    run_state_machine_as_test(
        TwoBrowsers,
        settings=settings(
            max_examples=rounds,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # A machine that gets nowhere proves nothing.
    assert TwoBrowsers.reached["tokens"] >= rounds / 3, TwoBrowsers.reached
    assert TwoBrowsers.reached["done"] >= rounds / 40, TwoBrowsers.reached
    assert TwoBrowsers.reached["account"] >= rounds / 40, TwoBrowsers.reached
    assert TwoBrowsers.reached["joining"] >= rounds // 60, TwoBrowsers.reached
    assert TwoBrowsers.reached["invited"] >= rounds / 10, TwoBrowsers.reached
    assert TwoBrowsers.reached["brought back"] >= rounds // 40, TwoBrowsers.reached
    assert TwoBrowsers.reached["recovered"] >= rounds / 40, TwoBrowsers.reached
