"""Every cookie: to this host only, out of reach of scripts, gone when it is over (RFC 6265bis 4.1)."""

import pytest

from tests.support.accounts import ADDRESS, make_account
from tests.support.applications import running
from tests.support.journey import ISSUER, Person

HTTPS = "https://login.example.ch"
NAMES = ("seuil-browser", "seuil-form", "seuil-known", "seuil-session")
LASTING = "seuil-known"


@pytest.fixture
def at_home(person):
    """Signed in at a provider on localhost."""
    make_account()
    return person.authorize().two_factors(ADDRESS)


@pytest.fixture
def at_large(app, inbox, portal):
    """Signed in at the same provider, started under an https issuer."""
    make_account()
    settings = app.extensions["seuil.settings"].model_copy(update={"issuer": HTTPS})
    with running(settings) as behind_tls:
        yield Person(behind_tls, inbox, portal, HTTPS).authorize().two_factors(ADDRESS)


@pytest.fixture(params=[ISSUER, HTTPS])
def signed_in(request):
    return request.getfixturevalue("at_home" if request.param == ISSUER else "at_large")


def cookies(person):
    return {cookie.key: cookie for cookie in person.browser._cookies.values()}


def test_under_https_each_cookie_is_held_to_this_host_and_to_tls(at_large):
    assert set(cookies(at_large)) == {f"__Host-{name}" for name in NAMES}
    assert all(cookie.secure for cookie in cookies(at_large).values())


def test_on_localhost_there_is_no_tls_to_hold_them_to(at_home):
    assert set(cookies(at_home)) == set(NAMES)
    assert not any(cookie.secure for cookie in cookies(at_home).values())


def test_each_cookie_is_out_of_reach_of_scripts_and_of_other_hosts(signed_in):
    for cookie in cookies(signed_in).values():
        assert cookie.http_only
        assert cookie.same_site == "Lax"
        assert (cookie.path, cookie.origin_only) == ("/", True)


def test_no_cookie_outlives_the_browser_but_the_one_that_says_who_knows_it(signed_in):
    for name, cookie in cookies(signed_in).items():
        lasts = name.removeprefix("__Host-") == LASTING
        assert cookie.max_age == (180 * 86400 if lasts else None), name
        assert (cookie.expires is not None) == lasts, name


def test_signing_out_takes_the_session_cookie_away_and_no_other(signed_in):
    before = set(cookies(signed_in))
    signed_in.get("/logout").press("Se déconnecter")
    assert signed_in.path == "/logout/done"
    gone = before - set(cookies(signed_in))
    assert {name.removeprefix("__Host-") for name in gone} == {"seuil-session"}
