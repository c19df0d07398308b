"""A browser for `Person` whose requests go to real processes, each over a connection of its own."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import requests

from tests.support.journey import Form, Person
from tests.support.together import together

_EACH_ALONE = {"Connection": "close"}


class Reply:
    """A `requests` response in the words of Flask's test client."""

    def __init__(self, response: requests.Response) -> None:
        self.status_code, self.headers = response.status_code, response.headers
        self._response = response

    def get_data(self, *, as_text: bool) -> str:
        assert as_text
        return self._response.text


class RemoteBrowser:
    """Cookies of one browser; whichever process listens first answers."""

    def __init__(self) -> None:
        self.cookies = requests.cookies.RequestsCookieJar()

    def get(self, path: str, base_url: str) -> Reply:
        return self._keep(self.send("GET", urljoin(base_url, path)))

    def post(self, path: str, data: dict[str, str], base_url: str) -> Reply:
        return self._keep(self.send("POST", urljoin(base_url, path), data=data))

    def send(self, method: str, url: str, **options: Any) -> requests.Response:
        """One request with the cookies as they are; nothing is followed or kept."""
        return requests.request(
            *(method, url),
            **options,
            headers=_EACH_ALONE,
            cookies=self.cookies,
            timeout=30,
            allow_redirects=False,
        )

    def _keep(self, response: requests.Response) -> Reply:
        self.cookies.update(response.cookies)
        return Reply(response)


def press_at_once(
    person: Person, button: str, times: int = 8, **fields: str
) -> list[requests.Response]:
    """Press a button so many times at the same moment; the person then looks where that led."""
    form = next(form for form in person.page.forms if button in form.buttons)
    answers = together(times, _presser(person, form, form.buttons[button] | fields))
    for answer in answers:
        person.browser.cookies.update(answer.cookies)
    person.get(person.path)
    return answers


def _presser(
    person: Person, form: Form, fields: dict[str, str]
) -> Callable[[int], requests.Response]:
    url = urljoin(person.issuer + person.path, form.action)
    return lambda _number: person.browser.send("POST", url, data=form.fields | fields)
