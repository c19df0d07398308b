"""Signing keys change while everybody signs and verifies, over real processes; not one verification fails.

A key begins to sign more than five minutes after it was made. Here its moments are moved, as if all but the
last seconds had passed; within them every process must notice it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, select

from idp import clock, housekeeping, rewrapping
from idp.extensions import db, transaction
from idp.keys import kek, signing
from idp.keys.models import SigningKey
from idp.security.versions import FRESH_FOR
from tests.support.accounts import ADDRESS, make_account
from tests.support.faults import eventually
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.portal import PORTAL, register
from tests.support.remote import RemoteBrowser
from tests.support.server import serving

NOTICED = FRESH_FOR + 0.5
BY_HAND, ON_SCHEDULE = "EdDSA", "PS256"
"""Algorithms that no other test signs with."""
ALONE = {"Connection": "close"}


@dataclass
class Party:
    """A relying party that asks for signed userinfo again and again, of whichever process answers.

    `kids`: of what it verified, in order; `failed`: what it could not.
    """

    url: str
    alg: str
    token: str
    kids: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def fetch_keys(self) -> KeySet:
        return KeySet.import_key_set(
            requests.get(f"{self.url}/jwks", headers=ALONE, timeout=9).json()
        )

    def verify(self, keys: KeySet) -> None:
        bearer = {"Authorization": f"Bearer {self.token}"}
        answer = requests.get(f"{self.url}/userinfo", headers=ALONE | bearer, timeout=9)
        try:
            decoded = jwt.decode(answer.text, keys, algorithms=[self.alg])
        except (JoseError, ValueError) as error:
            self.failed.append(f"{error!r}: {answer.status_code} {answer.text[:99]}")
        else:
            self.kids.append(decoded.header["kid"])

    def without_cache(self) -> None:
        """The keys are those of a moment before what they verify."""
        self.verify(self.fetch_keys())


@contextmanager
def busy(*acts: Callable[[], None]) -> Iterator[None]:
    """Each goes on in a thread of its own."""
    stop = threading.Event()

    def loop(act: Callable[[], None]) -> None:
        while not stop.wait(0.03):
            act()

    threads = [threading.Thread(target=loop, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


@pytest.fixture
def clients(app):
    """One for each algorithm, which has a key."""
    with transaction():
        for alg in (BY_HAND, ON_SCHEDULE):
            signing.create(signing.new_pair(alg))
    yield {
        alg: register(replace(PORTAL, userinfo_signed_response_alg=alg))
        for alg in (BY_HAND, ON_SCHEDULE)
    }
    with transaction():
        db.session.execute(delete(SigningKey).where(SigningKey.alg.in_([BY_HAND, ON_SCHEDULE])))
        signing._changed()


@pytest.fixture
def at_sign_in(app, inbox):
    """Somebody at a browser of their own, who comes from a relying party."""

    def come(client, url: str) -> Person:
        person = Person(app, inbox, client, url)
        person.browser = RemoteBrowser()
        return person.authorize()

    return come


@pytest.fixture
def party(app, clients, at_sign_in):
    """Makes relying parties, each with somebody's access token."""
    make_account()
    with serving(app.extensions["seuil.settings"], workers=2) as url:

        def make(alg: str) -> Party:
            person = at_sign_in(clients[alg], url).two_factors(ADDRESS)
            fields = {"grant_type": "authorization_code", "code": person.callback["code"]}
            fields["redirect_uri"] = person.client.redirect_uri
            fields["code_verifier"] = person.verifier
            auth = (person.client.client_id, person.client.secret)
            answer = requests.post(f"{url}/token", data=fields, auth=auth, timeout=30)
            return Party(url, alg, answer.json()["access_token"])

        yield make


def keys_of(alg: str) -> list[SigningKey]:
    mine = select(SigningKey).where(SigningKey.alg == alg)
    return list(db.session.scalars(mine.order_by(SigningKey.activate_at)))


def replace_by_hand() -> None:
    with transaction():
        signing.rotate(signing.new_pair(BY_HAND))


def replace_on_schedule() -> None:
    with transaction():
        (key,) = keys_of(ON_SCHEDULE)
        key.expire_at = clock.now()
    assert len(housekeeping.rotate_keys()) == 1


def pass_time(alg: str, left: timedelta) -> None:
    """As if the youngest key had been made so long ago that this is left until it signs."""
    with transaction():
        keys = keys_of(alg)
        passed = keys[-1].activate_at - clock.now() - left
        assert passed > signing.CACHED - left
        for key in keys:
            key.activate_at -= passed
            key.expire_at = max(key.expire_at - passed, keys[-1].activate_at)
        signing._changed()


def changed(one: Party) -> bool:
    """Only another key than in the beginning has signed for a while."""
    return len(set(one.kids)) == 2 and one.kids[0] not in one.kids[-20:]


def test_no_verification_fails_while_keys_are_replaced(party):
    parties = [party(alg) for alg in (BY_HAND, ON_SCHEDULE)]
    with busy(*(one.without_cache for one in parties)):
        eventually(lambda: all(len(one.kids) > 9 for one in parties))
        replace_by_hand()
        replace_on_schedule()
        for one in parties:
            pass_time(one.alg, timedelta(seconds=NOTICED + 1))
        time.sleep(NOTICED)
        cached = [(one, one.fetch_keys()) for one in parties]
        before = [set(one.kids) for one in parties]
        with busy(*(lambda one=one, keys=keys: one.verify(keys) for one, keys in cached)):
            eventually(lambda: all(changed(one) for one in parties))
    assert before == [{one.kids[0]} for one in parties], "nobody had changed before its time"
    assert [one.failed for one in parties] == [[], []]


def test_a_revoked_key_is_gone_from_every_process_within_two_seconds(party):
    one = party(BY_HAND)
    (kid,) = (key.kid for key in keys_of(BY_HAND))
    with busy(one.without_cache):
        eventually(lambda: len(one.kids) > 9)
        with transaction():
            other = signing.revoke(kid, signing.new_pair(BY_HAND))
        time.sleep(NOTICED)
        after = Party(one.url, one.alg, one.token)
        with busy(after.without_cache, after.without_cache):
            eventually(lambda: len(after.kids) > 40)
    assert (set(after.kids), after.failed) == ({other}, [])


def test_the_key_that_wraps_all_others_is_replaced_while_somebody_signs_in(
    app, party, clients, at_sign_in
):
    """The code was made, and its message written, under the former key."""
    one, file = party(BY_HAND), app.extensions["seuil.settings"].kek_file
    person = at_sign_in(clients[BY_HAND], one.url).sign_in(ADDRESS, NEW_PASSWORD)
    former = kek.load(file).current
    with busy(one.without_cache):
        for step in (
            lambda: kek.add(file),
            lambda: kek.turn(file),
            rewrapping.rewrap,
            lambda: kek.drop(file, leaked=False),
        ):
            step()
            with transaction():
                signing._changed()
            seen = len(one.kids)
            eventually(lambda seen=seen: len(one.kids) > seen + 9)
        time.sleep(NOTICED)
        person.press("Vérifier le code", code=person.code(ADDRESS))
    assert former not in kek.load(file).keys
    assert person.callback["code"]
    assert one.failed == []
