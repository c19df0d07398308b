"""A person at a relying party: its pages over real HTTP, and the provider's as in every journey."""

from urllib.parse import urljoin

import requests

from tests.support.journey import Person
from tests.support.remote import RemoteBrowser


class Visit:
    """One browser; redirects are followed from the party to the provider and back."""

    def __init__(self, person: Person, party: str) -> None:
        self.person, self.party = person, party
        person.browser = RemoteBrowser()
        self._http = requests.Session()
        self.page: requests.Response | None = None
        """The party's, where the person is; None on a page of the provider."""

    def open(self, path: str, **form: str) -> "Visit":
        """Open an address of the party, by POST when there is a form."""
        return self._go(urljoin(self.party, path), form)

    def sign_in(self, address: str) -> "Visit":
        """Both factors on the provider's pages, and back."""
        self.person.two_factors(address)
        return self._back()

    def press(self, button: str) -> "Visit":
        """A button on a page of the provider."""
        self.person.press(button)
        return self._back()

    def forget(self) -> "Visit":
        """As somebody whom the party does not know, and the provider does."""
        self._http.cookies.clear()
        return self

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _go(self, url: str, form: dict[str, str]) -> "Visit":
        method, issuer = "POST" if form else "GET", f"{self.person.issuer}/"
        answer = self._http.request(method, url, data=form, allow_redirects=False, timeout=20)
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(issuer):
                self.person.get("/" + target.removeprefix(issuer))
                return self._back()
            answer = self._http.get(target, allow_redirects=False, timeout=20)
        self.page = answer
        return self

    def _back(self) -> "Visit":
        self.page = None
        if self.person.callback is None:
            return self
        if self.person.posted_to:
            return self._go(self.person.posted_to, self.person.callback)
        return self._go(self.person.left_for, {})
