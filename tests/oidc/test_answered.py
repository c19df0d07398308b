"""Requests that wait, come back, or come from another site (OIDC Core 3.1.2.1)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.extensions import db, transaction
from idp.flow.interaction import Interaction
from idp.sessions import browser as sessions
from idp.sessions.models import BrowserSession
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, NEW_PASSWORD


def resumed(person):
    """The protocol's address of the interaction the person is in."""
    return "/authorize/" + person.path.split("/")[2].split("?")[0]


def test_a_sign_in_counts_for_the_request_that_asked_for_it_only_at_once(person, account):
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        person.authorize(prompt="login", max_age="60").sign_in(ADDRESS, NEW_PASSWORD)
        path = resumed(person)
        person.press("Vérifier le code", code=person.code())
        assert person.callback["code"]
        assert person.get(path).step == "callback"
        now.shift(timedelta(seconds=61))
        person.callback = None
        assert person.get(path).step == "sign-in"
        assert person.callback is None


def test_a_request_posted_from_another_site_leaves_open_pages_alone(person, account):
    person.authorize()
    waiting = person.path
    cookie = person.browser.get_cookie("seuil-browser", domain="localhost")
    path, _, query = person.authorize_path().partition("?")
    stranger = person.app.test_client()
    posted = stranger.post(
        path, data=query, content_type="application/x-www-form-urlencoded", base_url=ISSUER
    )
    assert "Set-Cookie" not in posted.headers
    person.get(posted.headers["Location"])
    assert person.step == "sign-in"
    assert person.browser.get_cookie("seuil-browser", domain="localhost").value == cookie.value
    assert person.get(waiting).step == "sign-in"


@pytest.mark.parametrize("late", [False, True])
def test_a_posted_request_belongs_to_the_first_browser_that_comes_at_once(person, app, late):
    path, _, query = person.authorize_path().partition("?")
    form = "application/x-www-form-urlencoded"
    with app.test_client() as poster:
        posted = poster.post(path, data=query, content_type=form, base_url=ISSUER)
    if late:
        with transaction():
            before = clock.now() - timedelta(minutes=2)
            db.session.execute(update(Interaction).values(created_at=before))
    else:
        assert person.get(posted.headers["Location"]).step == "sign-in"
    other = app.test_client().get(posted.headers["Location"], base_url=ISSUER)
    assert other.status_code == 400


def test_a_session_that_ends_between_reading_and_answering_gives_no_code(signed_in, monkeypatch):
    """A sign-out in another tab, at the worst moment."""
    signed_in.callback = None
    found = sessions.find

    def found_and_ended(token):
        session = found(token)
        with transaction():
            db.session.execute(update(BrowserSession).values(ended_at=clock.now()))
        return session

    monkeypatch.setattr(sessions, "find", found_and_ended)
    signed_in.authorize()
    assert (signed_in.callback, signed_in.step) == (None, "sign-in")
    assert signed_in.authorize(prompt="none").callback["error"] == "login_required"


def test_a_nonce_as_long_as_a_request_may_have_comes_back(person, account):
    person.authorize(nonce="n" * 2000).two_factors(ADDRESS)
    assert person.callback["code"]
