"""What the suite is asked over HTTP: plans, modules, and the addresses that a browser should visit."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import requests

_WAITING = 30


@dataclass
class Suite:
    """A suite that runs at `url`, without sign-in (its development mode)."""

    url: str
    trusted: str

    def plan(
        self, name: str, variant: dict[str, str], configuration: dict[str, Any]
    ) -> dict[str, Any]:
        """A new plan; its `id` and `modules`."""
        asked = {"planName": name, "variant": json.dumps(variant)}
        plan: dict[str, Any] = self._json("POST", "plan", params=asked, json=configuration)
        return plan

    def start(self, plan: str, module: dict[str, Any]) -> str:
        """Begin a module; its number."""
        asked = {"test": module["testModule"], "plan": plan}
        if variant := module.get("variant"):
            asked["variant"] = json.dumps(variant)
        return str(self._json("POST", "runner", params=asked)["id"])

    def begin(self, module: str) -> None:
        """What is ready may run."""
        self._json("POST", f"runner/{module}")

    def told(self, module: str) -> dict[str, Any]:
        """`status` and `result` of a module."""
        told: dict[str, Any] = self._json("GET", f"info/{module}")
        return told

    def to_visit(self, module: str) -> list[dict[str, str]]:
        """Where a browser should go now: `url` and `method` of each."""
        answer = self._send("GET", f"runner/{module}")
        return answer.json()["browser"]["urlsWithMethod"] if answer.ok else []

    def visited(self, module: str, url: str) -> None:
        """A browser was there."""
        self._send("POST", f"runner/browser/{module}/visit", params={"url": url}).raise_for_status()

    def placeholders(self, module: str) -> list[str]:
        """Pictures that are asked for."""
        images = self._json("GET", f"log/{module}/images")
        return [one["upload"] for one in images if one.get("upload")]

    def show(self, module: str, placeholder: str, picture: bytes) -> None:
        """Send a picture (PNG) that was asked for."""
        body = "data:image/png;base64," + base64.b64encode(picture).decode()
        path = f"log/{module}/images/{placeholder}"
        self._send(
            "POST", path, data=body, headers={"Content-Type": "text/plain"}
        ).raise_for_status()

    def complaints(self, module: str) -> list[str]:
        """What it found wrong, or doubtful."""
        log = self._json("GET", f"log/{module}")
        return [
            f"{entry['result']} {entry['src']}: {entry['msg']}"
            for entry in log
            if entry.get("result") in {"FAILURE", "WARNING"}
        ]

    def _json(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
        return answer.json()

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        if "data" not in options:
            options.setdefault("headers", {"Content-Type": "application/json"})
        return requests.request(
            method, f"{self.url}/api/{path}", verify=self.trusted, timeout=_WAITING, **options
        )
