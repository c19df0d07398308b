"""A client that registered itself and what it has to say of its registration later (RFC 7592)."""

import time
from threading import Thread

import pytest

from idp.clients import manage, registry
from idp.extensions import db, transaction
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.agreeing import YES
from tests.support.journey import ISSUER, Person
from tests.support.portal import TestClientApp
from tests.support.registering import URI, Developer, events, refused, token
from tests.support.signing import publishing
from tests.support.together import together
from tests.support.tokens import ask_token, redeem, refresh, userinfo


def test_a_client_reads_and_changes_what_it_registered(developer):
    developer.register(client_name="Archives", default_max_age=60)
    told = developer.manage("GET").get_json()
    assert told["registration_access_token"] == developer.known["registration_access_token"]
    assert "client_secret" not in told
    developer.manage("PUT", {**developer.repeatable, "client_name#de": "Archiv"})
    changed = {**developer.repeatable, "client_name": "Autre"}
    del changed["default_max_age"]
    answer = developer.manage("PUT", changed)
    assert answer.status_code == 200
    assert answer.get_json()["client_name"] == "Autre"
    assert "default_max_age" not in answer.get_json(), "what is not sent is as it is by default"
    assert "client_name#de" not in answer.get_json()
    assert developer.manage("GET").get_json() == answer.get_json()
    assert ("client_updated", "stranger") in events()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_id": "another"}, "invalid_client_metadata"),
        ({"client_secret": "chosen by the client"}, "invalid_client_metadata"),
        ({"client_secret": 7}, "invalid_client_metadata"),
        ({"client_id_issued_at": 1}, "invalid_client_metadata"),
        ({"registration_access_token": "x"}, "invalid_client_metadata"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
        ({"require_pkce": False}, "invalid_client_metadata"),
        ({"scope": "openid legacy"}, "invalid_client_metadata"),
        (
            {"subject_type": "pairwise", "sector_identifier_uri": "https://["},
            "invalid_client_metadata",
        ),
    ],
)
def test_a_change_is_looked_at_like_a_registration(developer, changes, error):
    developer.register()
    before = developer.manage("GET").get_json()
    refused(developer.manage("PUT", {**developer.repeatable, **changes}), error)
    assert developer.manage("GET").get_json() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ["https://elsewhere.example/cb"]},
        {"client_name": "Loterie"},
        {"client_name#fr": "Loterie"},
        {"logo_uri": "https://app.example/other.png"},
    ],
    ids=str,
)
def test_what_becomes_another_application_has_nothing_of_its_people(
    developer, app, inbox, account, changes
):
    """Nobody agreed to give that one anything."""
    developer.register(client_name="Archives")
    known = developer.known
    person = Person(app, inbox, TestClientApp(known["client_id"], known["client_secret"], URI))
    person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
    held = redeem(person)["access_token"]
    same = {**developer.repeatable, "scope": "openid email"}
    assert developer.manage("PUT", same).status_code == 200
    assert userinfo(person, held).status_code == 200, "it is still the same application"
    assert developer.manage("PUT", {**same, **changes}).status_code == 200
    assert userinfo(person, held).status_code == 401
    if "redirect_uris" not in changes:
        assert person.authorize(scope="openid").step == "consent"


def test_nobody_agrees_on_a_page_that_showed_another_application(developer, app, inbox, account):
    """The application knows when its picture is asked for, and could change in that moment."""
    developer.register(client_name="Archives")
    known = developer.known
    person = Person(app, inbox, TestClientApp(known["client_id"], known["client_secret"], URI))
    person.authorize(scope="openid").two_factors(ADDRESS)
    assert person.step == "consent"
    developer.manage("PUT", {**developer.repeatable, "client_name": "Loterie"})
    person.press(YES)
    assert (person.callback, person.step) == (None, "error")
    assert person.authorize(scope="openid").step == "consent"
    assert "Loterie" in person.page.text


def test_nobody_moves_to_the_sector_of_another(developer):
    """It would learn, at userinfo or when a session ends, what that one calls people."""
    developer.register(subject_type="pairwise")
    same = developer.repeatable
    for changes in ({"subject_type": "public"}, {"redirect_uris": ["https://victim.example/x"]}):
        refused(
            developer.manage("PUT", {**same, **changes}),
            "invalid_redirect_uri" if "redirect_uris" in changes else "invalid_client_metadata",
        )
    other = {**same, "redirect_uris": ["https://app.example/another"]}
    assert developer.manage("PUT", other).status_code == 200
    developer.register()
    same = {**developer.repeatable, "subject_type": "pairwise"}
    refused(developer.manage("PUT", same), "invalid_client_metadata")


def test_what_the_operator_changed_stays(developer):
    developer.register()
    with transaction():
        manage.update_client(developer.known["client_id"], {"userinfo_max_age": 60})
    assert developer.manage("PUT", developer.repeatable).status_code == 200
    assert registry.find(developer.known["client_id"]).userinfo_max_age == 60


@pytest.mark.usefixtures("near")
def test_what_the_operator_changes_while_a_sector_is_asked_stays(app, developer):
    with publishing() as server:
        server.content = [URI]
        developer.register(subject_type="pairwise", sector_identifier_uri=server.url)
        server.delay = 0.5
        change = Thread(target=developer.manage, args=("PUT", developer.repeatable))
        change.start()
        while server.asked < 2:
            time.sleep(0.01)
        with transaction():
            manage.update_client(developer.known["client_id"], {"userinfo_max_age": 60})
        change.join()
    registry._cache.forget()
    db.session.rollback()
    assert registry.find(developer.known["client_id"]).userinfo_max_age == 60


@pytest.mark.parametrize("_round", range(8))
def test_a_client_can_go_while_its_people_come(developer, person, at_home, _round):
    """Each waits for what the other has, in one order."""
    developer.register(grant_types=["authorization_code", "refresh_token"])
    known = developer.known
    person.client = TestClientApp(known["client_id"], known["client_secret"], URI)
    person.authorize(scope="openid offline_access", prompt="consent").press(YES)
    held = redeem(person)["refresh_token"]
    acts = [lambda: developer.manage("DELETE"), lambda: refresh(person, held)]
    db.session.rollback()
    gone, refreshed = together(2, lambda number: acts[number]().status_code)
    assert gone == 204
    assert refreshed in {200, 400, 401}


def test_a_client_goes_with_all_that_it_holds(developer):
    developer.register()
    assert developer.manage("DELETE").status_code == 204
    assert registry.find(developer.known["client_id"]) is None
    refused(developer.manage("GET"), "invalid_token", 401)
    assert ("client_deleted", "stranger") in events()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_token_is_for_its_own_client_only(developer, app, method):
    """Nor does one open a client of the administrators, or one that is not there."""
    developer.register()
    other = Developer(app)
    other.register()
    theirs = other.known["registration_access_token"]
    ours = portal.register().client_id
    for value in (theirs, "", "x", token()):
        refused(developer.manage(method, {}, token=value), "invalid_token", 401)
    for name in (ours, "nobody", "%00", "é", "x" * 3000):
        refused(developer.send(method, f"/register/{name}", {}, theirs), "invalid_token", 401)


def test_no_token_is_kept_as_it_is(developer):
    value = token()
    developer.register(value)
    names = ("client", "registration_token", "client_secret", "audit_event")
    with db.engine.connect() as connection:
        stored = str([connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])
    for secret in (value, developer.known["registration_access_token"]):
        assert secret not in stored
    assert developer.known["client_secret"] not in stored


@pytest.fixture
def gone(developer, app, inbox, account):
    """A person signed in at an application that has deleted itself, of which this node does not know yet."""
    developer.register()
    client = TestClientApp(developer.known["client_id"], developer.known["client_secret"], URI)
    person = Person(app, inbox, client)
    person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
    known = dict(registry._cache._kept)
    assert developer.manage("DELETE").status_code == 204
    registry._cache._kept.update(known)
    return person


def test_a_node_that_does_not_know_of_a_deletion_fails_in_order(gone):
    assert ask_token(gone).get_json()["error"] == "invalid_grant"
    assert gone.authorize(scope="openid").page.status == 400
    assert gone.authorize(scope="openid", prompt="login").page.status == 400
    form = {"client_id": gone.client.client_id, "redirect_uri": URI, "response_type": "code"}
    form |= {"scope": "openid", "code_challenge": gone.challenge, "code_challenge_method": "S256"}
    auth = (gone.client.client_id, gone.client.secret)
    pushed = gone.app.test_client().post("/par", data=form, auth=auth, base_url=ISSUER)
    assert (pushed.status_code, pushed.get_json()["error"]) == (400, "invalid_request")
