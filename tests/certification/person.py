"""Whoever sits at the browser of a plan: goes where the suite says, and does what the pages ask."""

import time
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Browser

from tests.certification.provider import Provider
from tests.support.journey import CODE, NEW_PASSWORD

_PRESS = {
    "second-factor": "Vérifier le code",
    "sign-in": "Se connecter",
    "consent": "Donner l’accès",
    "logout": "Se déconnecter",
}
"""Pages that ask something, and the button that goes on."""
_STEPS = 12


def _is_elsewhere(url: str) -> bool:
    return urlsplit(url).hostname != "localhost"


class Person:
    """One person at a browser that nobody used before; `picture` is what a reviewer should see (PNG)."""

    def __init__(self, browser: Browser, provider: Provider, number: int) -> None:
        self._provider = provider
        self._address, self._phone = provider.somebody(number)
        self._context = browser.new_context(ignore_https_errors=True, locale="fr-CH")
        # Pages name pictures of other places, which is no reason to ask anybody out there.
        self._context.route(_is_elsewhere, lambda route: route.abort())
        self._page = self._context.new_page()
        self._page.set_default_timeout(15_000)
        self._read = 0
        self.picture = b""

    def leave(self) -> None:
        """Close the browser."""
        self._context.close()

    def visit(self, url: str, method: str) -> None:
        """Go there and on, until no page of ours asks anything."""
        self._go(url, method)
        self.picture = self._page.screenshot(full_page=True)
        for _ in range(_STEPS):
            step = self._step()
            if step not in _PRESS:
                break
            self._answer(step)
        if "/logout" in url:
            self.picture = self._page.screenshot(full_page=True)

    def _go(self, url: str, method: str) -> None:
        if method == "GET":
            self._page.goto(url)
            return
        bare, _, query = url.partition("?")
        self._page.set_content(f"<form method=post action='{bare}'></form>")
        script = """pairs => { const form = document.forms[0]; for (const [name, value] of pairs) {
            const field = document.createElement("input"); field.type = "hidden";
            field.name = name; field.value = value; form.append(field); } form.submit(); }"""
        with self._page.expect_navigation():
            self._page.evaluate(script, parse_qsl(query, keep_blank_values=True))

    def _step(self) -> str:
        """The name of the page of ours that is shown; empty elsewhere."""
        self._page.wait_for_load_state("networkidle")
        if not self._page.url.startswith(self._provider.issuer):
            return ""
        return self._page.locator("main").get_attribute("data-step") or ""

    def _answer(self, step: str) -> None:
        if step == "sign-in":
            self._page.fill("input[name=identifier]", self._address)
            self._page.fill("input[name=password]", NEW_PASSWORD)
        if step == "second-factor":
            self._page.fill("input[name=code]", self._code())
        with self._page.expect_navigation():
            self._page.get_by_role("button", name=_PRESS[step], exact=True).first.click()

    def _code(self) -> str:
        mine = {self._address, self._phone}
        end = time.monotonic() + 15
        while time.monotonic() < end:
            texts = [one.text for one in self._provider.inbox.messages if one.to in mine]
            codes = [found[1] for text in texts if (found := CODE.search(text))]
            if len(codes) > self._read:
                self._read = len(codes)
                return codes[-1]
            time.sleep(0.05)
        raise TimeoutError("no code came")
