"""A relying party and a browser that sign on again and again, over one connection that stays open."""

import base64
import hashlib
import http.client
import json
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

STEPS = ("authorize", "token", "userinfo")
SCOPE = "openid profile email"
REDIRECT_URI = "https://party.example/callback"


@dataclass
class Party:
    """A relying party, with the cookies of one browser that has signed in."""

    client_id: str
    secret: str
    cookies: dict[str, str]


class Load:
    """One connection to one provider; each step is one request, and its answer is checked."""

    def __init__(self, url: str, party: Party, paths: dict[str, str]) -> None:
        self._party, self._paths = party, paths
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        self._challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        pair = f"{party.client_id}:{party.secret}".encode()
        self._basic = f"Basic {base64.b64encode(pair).decode()}"

    def anew(self) -> None:
        """Over a fresh connection: no server keeps one open that is silent for long."""
        self._connection.close()

    def authorize(self, _nothing: str) -> str:
        """A code. Cookies that are set on the way are kept."""
        query = {
            "response_type": "code",
            "client_id": self._party.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "af0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": self._challenge,
            "code_challenge_method": "S256",
        }
        target = self.follow(f"{self._paths['authorize']}?{urlencode(query)}")
        return parse_qs(urlsplit(target).query)["code"][0]

    def follow(self, path: str) -> str:
        """Where the provider leads in the end, away from itself."""
        while path.startswith("/"):
            cookies = "; ".join(f"{name}={value}" for name, value in self._party.cookies.items())
            self._connection.request("GET", path, headers={"Cookie": cookies} if cookies else {})
            answer = self._connection.getresponse()
            answer.read()
            assert answer.status in {302, 303}, answer.status
            for line in answer.headers.get_all("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                self._party.cookies[name] = value
            parts = urlsplit(answer.headers["Location"])
            ours = parts.netloc in {"", f"{self._connection.host}:{self._connection.port}"}
            path = f"{parts.path}?{parts.query}" if ours else parts.geturl()
        return path

    def token(self, code: str) -> str:
        """An access token, beside an ID token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self._verifier,
        }
        headers = {
            "Authorization": self._basic,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        said = self._asked("POST", self._paths["token"], urlencode(form), headers)
        assert said["id_token"].count(".") == 2
        return str(said["access_token"])

    def userinfo(self, token: str) -> str:
        """Whose token it is."""
        bearer = {"Authorization": f"Bearer {token}"}
        said = self._asked("GET", self._paths["userinfo"], None, bearer)
        assert said["email"] == "jeanne@example.ch"
        return str(said["sub"])

    def _asked(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> dict[str, str]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        said: dict[str, str] = json.loads(text)
        return said
