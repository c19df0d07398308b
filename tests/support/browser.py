"""Real Chromium on the real demonstration: one visitor, their old identifier, their mailbox."""

import itertools
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from idp.demo import launch
from tests.support.journey import CODE, NEW_PASSWORD
from tests.support.ports import free_port

CHROMIUM = Path("/usr/bin/chromium")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 740}
SMALLEST = {"width": 320, "height": 640}
NUMBER = "079 123 45 67"

_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_mailboxes = itertools.count(1)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium that talks to nobody on its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@contextmanager
def demonstration(state: Path) -> Iterator[dict[str, Any]]:
    """Provider, portal, inbox and old store, as `idp demo` starts them; what `demo.json` says, and `state`,
    the folder."""
    ports = {
        name: free_port()
        for name in ("port", "portal_port", "archive_port", "inbox_port", "smtp_port")
    }
    with launch.serving(launch.Options(state=state, **ports)) as prepared:
        yield {**json.loads(prepared.summary.read_text()), "state": str(state)}


@dataclass
class Visitor:
    """One person at one browser, with everything that went wrong on the way."""

    context: BrowserContext
    demo: dict[str, Any]
    identifier: str
    password: str
    address: str = field(default_factory=lambda: f"visiteur{next(_mailboxes)}@example.ch")
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read_messages = 0
        self.page = self.open_tab()

    def open_tab(self) -> Page:
        """One more tab, watched for foreign requests, script errors and policy violations."""
        page = self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("response", self._watch)
        return page

    def _hear(self, kind: str, text: str) -> None:
        # Chromium reports every 4xx page itself; those are answers to wrong input.
        if kind == "error" and "responded with a status of 4" not in text:
            self.complaints.append(f"console: {text}")

    def _watch(self, response: Response) -> None:
        own = {
            urlsplit(self.demo[name]).netloc for name in ("issuer", "portal", "archive", "inbox")
        }
        parts = urlsplit(response.url)
        if parts.scheme != "data" and parts.netloc not in own:
            self.complaints.append(f"foreign: {response.url}")
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.complaints.append(f"{response.status}: {response.url}")

    @property
    def step(self) -> str:
        """The page's own name for itself; empty outside of the provider."""
        return self.page.locator("main").get_attribute("data-step") or ""

    def come(self) -> "Visitor":
        """From the portal's button."""
        self.page.goto(self.demo["portal"])
        self.page.get_by_role("link", name="Se connecter").click()
        return self

    def press(self, button: str) -> "Visitor":
        """Press a button by its label."""
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.wait_for_load_state()
        return self

    def fill(self, **fields: str) -> "Visitor":
        """Fill in fields by name."""
        for name, value in fields.items():
            self.page.locator(f"input[name={name}]").fill(value)
        return self

    def link(self, pattern: str) -> str:
        """The newest link of this kind that was sent to this person."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for text in self._texts():
                if found := re.search(pattern, text):
                    return found[0]
            time.sleep(0.05)
        raise TimeoutError("no message came")

    def _texts(self) -> list[str]:
        mine = {self.address, "+41791234567"}
        with urllib.request.urlopen(f"{self.demo['inbox']}/api/messages") as answer:
            return [m["text"] for m in json.load(answer) if m["to"] in mine]

    def code(self) -> str:
        """The code of the next message that arrives for this person, by either channel."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            codes = [found[1] for text in self._texts() if (found := CODE.search(text))]
            if len(codes) > self.read_messages:
                self.read_messages = len(codes)
                return codes[0]
            time.sleep(0.05)
        raise TimeoutError("no message came")

    def first_sign_in(self, phone: str = NUMBER) -> Iterator[str]:
        """The road from the portal to the done page; yields the step of each page on the way."""
        self.come()
        yield self.step
        self.fill(identifier=self.identifier, password=self.password).press("Se connecter")
        yield self.step
        self.fill(email=self.address).press("Recevoir le code")
        yield self.step
        self.fill(code=self.code()).press("Vérifier le code")
        yield self.step
        self.press("Continuer")
        yield self.step
        if phone:
            self.fill(phone=phone).press("Recevoir le code")
            yield self.step
            self.fill(code=self.code()).press("Vérifier le code")
        else:
            self.press("Je ne souhaite pas donner mon numéro de téléphone")
        yield self.step
        both = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
        self.fill(**both).press("Mettre à jour le compte")
        yield self.step

    def later_sign_in(self) -> Iterator[str]:
        """From the sign-in page with the new identifier back to the portal."""
        yield self.step
        self.fill(identifier=self.address, password=NEW_PASSWORD).press("Se connecter")
        yield self.step
        self.fill(code=self.code()).press("Vérifier le code")
        self.page.wait_for_url(f"{self.demo['portal']}/")
        yield self.step

    def migrate(self, phone: str = "") -> "Visitor":
        """The whole first sign-in, to the done page."""
        for _step in self.first_sign_in(phone):
            pass
        return self
