"""A person with an account, one who has signed in, and authorization requests of any kind; a developer."""

from ipaddress import ip_network
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from idp.clients import keys
from idp.oidc import backchannel
from tests.support.accounts import make_account
from tests.support.agreeing import change_client
from tests.support.dpop import SCOPE, Holder
from tests.support.journey import ISSUER, Person
from tests.support.proofs import begin_session
from tests.support.receiver import receiving
from tests.support.registering import Developer
from tests.support.settings import override
from tests.support.tokens import redeem


@pytest.fixture
def account(app) -> int:
    """Row id of an account without a phone."""
    return make_account()


@pytest.fixture
def signed_in(person: Person, account: int) -> Person:
    """At the portal's callback, with a code, as one whose browser has a session."""
    return bring_home(person, account).authorize()


@pytest.fixture
def at_home(person: Person, account: int) -> Person:
    """Signed in already, without having seen a page."""
    return bring_home(person, account)


def bring_home(person: Person, account: int) -> Person:
    """Give the browser a session."""
    _session, token = begin_session(account)
    person.browser.set_cookie("seuil-session", token, domain="localhost")
    return person


@pytest.fixture
def near(app):
    """Applications live on this machine and may be asked; nothing is known of them yet."""
    keys._fetched.clear()
    backchannel._silent.clear()
    with override(app, client_networks=(ip_network("127.0.0.0/8"),)):
        yield
    keys._fetched.clear()
    backchannel._silent.clear()


@pytest.fixture
def mode(app, request):
    """Applications register themselves, whoever they are."""
    with override(app, registration=getattr(request, "param", "open")):
        yield


@pytest.fixture
def developer(app, mode):
    """Registers an application."""
    del mode
    return Developer(app)


@pytest.fixture
def holder(app):
    """Of a key, with our nonce."""
    del app
    return Holder().fetch_nonce()


@pytest.fixture
def coded(at_home):
    """At the portal's callback, with a code for more than the person's name."""
    return at_home.authorize(scope=SCOPE)


@pytest.fixture
def bound(coded, holder):
    """Tokens, bound to the holder's key."""
    return redeem(coded, headers=holder.prove())


@pytest.fixture
def receiver(person):
    """The portal's address that is told of logouts."""
    with receiving() as receiver:
        change_client(person, backchannel_logout_uri=receiver.url)
        yield receiver


CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture(params=["GET", "POST"])
def ask(request, person):
    """Send an authorization request; None leaves a parameter out, a list repeats it."""

    def send(**changes):
        values = {
            "response_type": "code",
            "client_id": person.client.client_id,
            "redirect_uri": person.client.redirect_uri,
            "scope": "openid",
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        kept = MultiDict({k: v for k, v in values.items() if v is not None})
        place = "query_string" if request.param == "GET" else "data"
        return person.browser.open(
            "/authorize", method=request.param, base_url=ISSUER, **{place: kept}
        )

    return send


def told(answer):
    """What the error redirect says."""
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == "https://portal.example/callback"
    return {name: values[0] for name, values in parse_qs(target.query).items()}
