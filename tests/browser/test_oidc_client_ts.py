"""The npm package oidc-client-ts: an application that lives in the browser, without a secret."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.exceptions import NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware

from idp.clients.registration import Registration
from tests.support import portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.environment import require
from tests.support.forger import Forger, forgeries, forging
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.ports import free_port
from tests.support.threads import listening, providing

HOME = Path(__file__).parents[1] / "relying_parties" / "oidc_client_ts"
NOTICED = {
    "of another request": "nonce in id_token does not match nonce in client storage",
    "about another person": "subject from UserInfo response does not match subject in ID Token",
}


class Party:
    """One tab of one browser at the application."""

    def __init__(self, page: Page, url: str, person: Person, forger: Forger) -> None:
        self.page, self.url, self.person, self.forger = page, url, person, forger

    def come(self) -> "Party":
        """To its button, and on to the provider."""
        self.page.goto(self.url)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def two_factors(self) -> "Party":
        """Through the provider's pages."""
        self.page.locator("input[name=identifier]").fill(ADDRESS)
        self.page.locator("input[name=password]").fill(NEW_PASSWORD)
        self.page.get_by_role("button", name="Se connecter", exact=True).click()
        self.page.locator("input[name=code]").fill(self.person.code())
        self.page.get_by_role("button", name="Vérifier le code").click()
        return self

    def says(self, text: str) -> None:
        """Who it believes is here, or what is wrong."""
        expect(self.page.locator("output")).to_have_text(text)

    def do(self, script: str) -> object:
        """What a call of its library gives."""
        return self.page.evaluate(script)


@pytest.fixture
def party(browser: Browser, app, inbox) -> Iterator[Callable[..., Party]]:
    """Registers the application for a scope, and brings a person to it."""
    require((HOME / "node_modules").is_dir(), f"oidc-client-ts (npm ci in {HOME.name})")
    make_account()
    with ExitStack() as running:
        issuer = running.enter_context(providing(app))
        port = free_port()
        running.enter_context(listening(SharedDataMiddleware(NotFound(), {"/": str(HOME)}), port))
        url = f"http://127.0.0.1:{port}/index.html"
        forger = running.enter_context(forging(issuer))
        context = running.enter_context(browser.new_context(locale="fr-CH"))

        def come(scope: str, *, forged: bool = False) -> Party:
            new = Registration(
                "Browser",
                (url,),
                post_logout_redirect_uris=(url,),
                token_endpoint_auth_method="none",
                grant_types=("authorization_code", "refresh_token"),
                scope="openid email offline_access",
            )
            client = portal.register(new)
            given = {"authority": issuer, "client_id": client.client_id, "scope": scope}
            if forged:
                given["metadataUrl"] = f"{forger.url}/.well-known/openid-configuration"
            page = context.new_page()
            page.add_init_script(f"window.seuil = {json.dumps(given)}")
            return Party(page, url, Person(app, inbox, client, issuer), forger)

        yield come


def test_the_whole_life_of_a_sign_in(party) -> None:
    here = party("openid email offline_access").come().two_factors()
    here.says(ADDRESS)
    first = here.do("manager.getUser().then(user => user.access_token)")
    again = here.do("manager.signinSilent().then(user => user.access_token)")
    assert first != again
    here.do("manager.revokeTokens()")
    refused = (
        "manager.metadataService.getUserInfoEndpoint().then(url => fetch(url, {headers: "
        "{Authorization: `Bearer ${token}`}})).then(answer => answer.status)"
    )
    assert here.do(f"(() => {{ const token = {again!r}; return {refused} }})()") == 401
    here.page.get_by_role("button", name="Sign out").click()
    here.says("nobody")
    here.page.get_by_role("button", name="Sign in").click()
    expect(here.page.locator("main")).to_have_attribute("data-step", "sign-in")


def test_a_frame_of_another_site_gets_no_session(party) -> None:
    """Our cookies do not go there: without a refresh token the application has to send the whole tab."""
    here = party("openid email").come().two_factors()
    here.says(ADDRESS)
    assert here.do("manager.signinSilent().catch(error => error.error)") == "login_required"
    here.come().says(ADDRESS)


def test_what_it_notices_of_forged_id_tokens(app, party) -> None:
    """It trusts TLS for the rest; whether the person is that of userinfo it does look at."""
    here = party("openid email", forged=True)
    here.come().two_factors().says(ADDRESS)
    for what, here.forger.forge in forgeries(app).items():
        here.page.evaluate("sessionStorage.clear()")
        here.come().says(NOTICED.get(what, ADDRESS))
