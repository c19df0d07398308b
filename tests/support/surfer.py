"""A person over real HTTP, from one site to another: for servers in other processes."""

import time
from urllib.parse import urljoin

import requests

from tests.support.journey import CODE, NEW_PASSWORD, Page


class Answer:
    """A `requests` response in the words that `Page` reads."""

    def __init__(self, response: requests.Response) -> None:
        self.status_code = response.status_code
        self._text = response.text

    def get_data(self, *, as_text: bool) -> str:
        assert as_text
        return self._text


class Surfer:
    """One browser without JavaScript; cookies know no ports, as in real ones."""

    def __init__(self, inbox_url: str) -> None:
        self._http = requests.Session()
        self._inbox = inbox_url
        self.url = ""
        self.page: Page | None = None
        self._seen: dict[str, int] = {}

    def get(self, url: str) -> "Surfer":
        """Open an address and follow redirects."""
        return self._land(self._http.get(url, timeout=10))

    def press(self, button: str, **fields: str) -> "Surfer":
        """Fill in the form that has this button, and press it."""
        assert self.page is not None
        form = next(form for form in self.page.forms if button in form.buttons)
        data = form.fields | fields | form.buttons[button]
        return self._land(self._http.post(urljoin(self.url, form.action), data=data, timeout=10))

    def code(self, to: str, seconds: float = 10) -> str:
        """The code of the newest message to somebody, as soon as it is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            messages = self._http.get(f"{self._inbox}/api/messages", timeout=10).json()
            texts = [message["text"] for message in messages if message["to"] == to]
            codes = [found[1] for text in texts if (found := CODE.search(text))]
            if len(codes) > self._seen.get(to, 0):
                self._seen[to] = len(codes)
                return codes[0]
            time.sleep(0.05)
        raise TimeoutError(f"no message to {to}")

    def migrate(self, identifier: str, password: str, address: str) -> "Surfer":
        """From sign-in to the done page, without a phone."""
        self.press("Se connecter", identifier=identifier, password=password)
        self.press("Recevoir le code", email=address)
        self.press("Vérifier le code", code=self.code(address))
        self.press("Continuer")
        self.press("Je ne souhaite pas donner mon numéro de téléphone")
        return self.press(
            "Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD
        )

    def two_factors(self, address: str) -> "Surfer":
        """A later sign-in."""
        self.press("Se connecter", identifier=address, password=NEW_PASSWORD)
        return self.press("Vérifier le code", code=self.code(address))

    @property
    def step(self) -> str:
        """Where the person is; empty outside of the provider."""
        return self.page.step if self.page else ""

    def _land(self, response: requests.Response) -> "Surfer":
        self.url, self.page = response.url, Page(Answer(response))
        return self
