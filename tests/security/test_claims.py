"""An old identity is claimed at most once, choices are never lost, and proofs are never inherited.

Two browsers migrate the same two people in any order, while somebody disputes and support reopens, reverts
and merges. The machine keeps its own book of what each browser has shown in which interaction, and of what
was chosen for whom, and holds what is stored against it.
"""

from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges.challenge import Challenge
from idp.challenges.issue import code_of
from idp.extensions import Base, db, transaction
from idp.flow import corrections
from idp.legacy.identity import LegacyIdentity
from idp.migration import cases
from idp.migration.models import MigrationCase
from tests.support import portal
from tests.support.accounts import make_account
from tests.support.database import clean
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.strict import BY

LOGINS = {"jeanne": "1", "paul": "2"}
ADDRESSES = ("ada@example.ch", "ben@example.ch", "eva@example.ch")
EVERYTHING = {"claimed", "joined", "dispute", "dispute_and_reopen", "revert", "merge"}
ALSO_MINE = "C’est aussi mon compte"
BROWSER, MOVES = st.integers(0, 1), st.integers(1, 9)
LOGIN, ADDRESS = st.sampled_from([*LOGINS]), st.sampled_from(ADDRESSES)


class Claims(RuleBasedStateMachine):
    """`world` is (app, inbox); `reached` counts, over all runs, what was really got to."""

    world = None
    reached: ClassVar[Counter] = Counter()

    @initialize()
    def begin(self):
        app, inbox = self.world
        clean()
        client = portal.register()
        self.people = [Person(app, inbox, client) for _ in range(2)]
        self.shown = set()  # (interaction, what)
        self.chosen = {}  # key -> address
        self.holder = {}  # key -> sub
        self.gone = set()  # subs
        self.disputed = set()  # keys
        make_account(ADDRESSES[2])

    # What people do.

    @rule(who=BROWSER, login=st.none() | LOGIN, address=ADDRESS, moves=MOVES, joins=st.booleans())
    def go_on(self, who, login, address, moves, joins):
        """So many honest moves; with a login, in a new interaction in which nothing is shown but its old
        password."""
        if login is not None:
            self.come(who, login)
        for _ in range(moves):
            self.move(who, address, joins=joins)

    def come(self, who, login):
        with transaction():
            db.session.execute(Base.metadata.tables["throttle"].delete())
        person = self.people[who].authorize(prompt="login").sign_in(login, PASSWORD)
        if person.step != "sign-in":
            assert person.step == "email", "proofs of another interaction count"
            self.shown.add((self.place(who), LOGINS[login]))

    def move(self, who, address, *, joins):
        if self.people[who].page is None:
            return
        person, step, here = self.people[who], self.people[who].step, self.place(who)
        both = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
        buttons = {
            "email-verified": ("Continuer", {}),
            "phone": ("Je ne souhaite pas donner mon numéro de téléphone", {}),
            "profile": ("Mettre à jour le compte", both),
            "join": ("Continuer", {"password": NEW_PASSWORD}),
        }
        if (
            step == "email"
            and joins
            and any(ALSO_MINE in form.buttons for form in person.page.forms)
        ):
            person.press(ALSO_MINE)
        elif step == "email":
            self.choose(who, address)
        elif step in {"email-code", "second-factor"}:
            self.enter(who)
        elif step in buttons:
            button, fields = buttons[step]
            person.press(button, **fields)
        self.look(here)

    def choose(self, who, address):
        key = self.key(who)
        self.people[who].press("Recevoir le code", email=address)
        if self.people[who].step == "email-code":
            self.chosen[key] = address

    def enter(self, who):
        here = self.place(who)
        waiting = db.session.query(Challenge).filter_by(interaction_id=here, closed_at=None)
        challenge = waiting.first()
        if challenge is not None:
            self.shown.add((here, challenge.destination))
            code = code_of(challenge.secret, challenge.counter)
            self.people[who].press("Vérifier le code", code=code)

    # What others do.

    @rule(
        what=st.sampled_from(["dispute", "reopen", "dispute_and_reopen", "revert", "merge"]),
        login=LOGIN,
    )
    def somebody_else_acts(self, what, login):
        case = self.case(login)
        if case is not None:
            with transaction():
                done = getattr(self, what)(case, LOGINS[login])
            self.reached[what] += bool(done)

    def dispute(self, case, key):
        cases.dispute(case.id)
        self.disputed.add(key)
        return True

    def dispute_and_reopen(self, case, key):
        return self.dispute(case, key) and self.reopen(case, key)

    def reopen(self, case, key):
        return corrections.reopen(case, BY) and self.forget(key)

    def revert(self, case, key):
        reverted = corrections.revert(case.identity, BY)
        if reverted is None:
            return False
        assert self.holder.pop(key) == reverted.sub
        self.gone |= {reverted.sub} if reverted.closed else set()
        return self.forget(key)

    def merge(self, case, key):
        account = accounts.by_email_key(ADDRESSES[2])
        if account is None or not corrections.join(case, account.id, BY):
            return False
        self.holder[key] = account.sub
        return self.forget(key)

    # What must hold.

    def look(self, here):
        """A claim that is new was made in this interaction, by whoever had shown all it takes."""
        db.session.rollback()
        claimed = LegacyIdentity.account_id.is_not(None)
        for identity in db.session.query(LegacyIdentity).filter(claimed):
            account, known = accounts.by_id(identity.account_id), self.holder.get(identity.key)
            assert known in {None, account.sub}, "claimed twice"
            if known is None:
                assert (here, identity.key) in self.shown, "without the old password"
                assert (here, account.email) in self.shown, "without the mailbox"
                assert identity.key not in self.disputed
                self.holder[identity.key] = account.sub
                self.reached["claimed"] += 1
                self.reached["joined"] += account.email == ADDRESSES[2]

    @invariant()
    def choices_are_kept_and_what_is_gone_stays_gone(self):
        if self.world is None or not hasattr(self, "people"):
            return
        db.session.rollback()
        for case in db.session.query(MigrationCase):
            if case.completed_at is None:
                assert case.email == self.chosen.get(case.identity.key)
            elif case.identity.key in self.chosen:
                assert case.email is None, "the account's from now on"
        for account in db.session.query(Account):
            assert account.closed == (account.sub in self.gone)
        held = {one.account_id for one in db.session.query(LegacyIdentity)} - {None}
        assert not any(db.session.get(Account, row).closed for row in held)

    def teardown(self):
        db.session.rollback()

    # Looking.

    def place(self, who):
        parts = self.people[who].path.split("/")
        return parts[2] if len(parts) > 2 else ""

    def key(self, who):
        return next(
            (k for (place, k) in self.shown if place == self.place(who) and k in "12"), None
        )

    def case(self, login):
        found = db.session.query(MigrationCase).join(LegacyIdentity)
        return found.filter(LegacyIdentity.key == LOGINS[login]).first()

    def forget(self, key):
        """Whatever was shown for it counts no more, nor what was chosen."""
        self.shown = {entry for entry in self.shown if entry[1] != key}
        self.chosen.pop(key, None)
        self.disputed.discard(key)
        return True


def test_an_identity_is_claimed_once_by_whoever_showed_what_it_takes(app, inbox, engine):
    rounds = 24 if engine == "sqlite" else 8
    Claims.world, Claims.reached = (app, inbox), Counter()
    run_state_machine_as_test(
        Claims,
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
    wanted = {"claimed", "dispute", "revert"} if engine == "postgresql" else EVERYTHING
    assert wanted <= {what for what, times in Claims.reached.items() if times}, Claims.reached
