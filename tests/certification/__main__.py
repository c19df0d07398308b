"""Run the plans of a suite that stands at an address of this machine, and tell what came of each module."""

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.certification.person import Person
from tests.certification.provider import Provider, serving
from tests.certification.suite import Suite
from tests.support.browser import chromium

_ALIAS = "seuil"
_STATIC = {"server_metadata": "discovery", "client_registration": "static_client"}
_DYNAMIC = {**_STATIC, "client_registration": "dynamic_client"}
_CODE = {"client_registration": "static_client", "response_type": "code"}
_PLANS = {
    "config": ("oidcc-config-certification-test-plan", {}),
    "basic": ("oidcc-basic-certification-test-plan", _STATIC),
    "formpost": ("oidcc-formpost-basic-certification-test-plan", _STATIC),
    "logout": ("oidcc-rp-initiated-logout-certification-test-plan", _CODE),
    "backchannel": ("oidcc-backchannel-rp-initiated-logout-certification-test-plan", _CODE),
    "dynamic": ("oidcc-dynamic-certification-test-plan", {"response_type": "code"}),
    "dynamic-basic": ("oidcc-basic-certification-test-plan", _DYNAMIC),
    "third-party-start": (
        "oidcc-3rdparty-init-login-certification-test-plan",
        {"response_type": "code"},
    ),
}
_MISSING = {
    ("dynamic", "oidcc-discovery-endpoint-verification"),
    ("dynamic", "oidcc-request-uri-unsigned"),
    ("dynamic", "oidcc-request-uri-signed-rs256"),
}
"""What is no part of this provider: the implicit grant, and request objects by reference."""
_GOOD = {"PASSED", "WARNING", "REVIEW", "SKIPPED"}
_PATIENCE = 150
_OVER = {"FINISHED", "INTERRUPTED"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """What every module of a run needs."""

    suite: Suite
    provider: Provider
    browser: Browser
    pictures: Path | None

    def plan(self, name: str) -> Iterator[tuple[str, str, str]]:
        """Each module of a plan, its number, and its result."""
        title, variant = _PLANS[name]
        plan = self.suite.plan(title, variant, self._configuration(name))
        for module in plan["modules"]:
            yield module["testModule"], *self._module(name, plan["id"], module)

    def _configuration(self, plan: str) -> dict[str, Any]:
        known = dict(self.provider.configuration)
        if plan == "backchannel":
            known["client"] = known["client_told"]
        if _PLANS[plan][1].get("client_registration") != "static_client":
            vouched = {"initial_access_token": known["token"]}
            known |= dict.fromkeys(("client", "client2", "client_secret_post"), vouched)
        where = f"{self.provider.issuer}/.well-known/openid-configuration"
        return {"alias": _ALIAS, "server": {"discoveryUrl": where}, **known}

    def _module(self, name: str, plan: str, module: dict[str, Any]) -> tuple[str, str]:
        number = self.suite.start(plan, module)
        person = Person(self.browser, self.provider, next(_numbers))
        try:
            return number, self._walk(number, person)
        finally:
            if self.pictures and person.picture:
                (self.pictures / f"{name}-{module['testModule']}.png").write_bytes(person.picture)
            person.leave()

    def _walk(self, number: str, person: Person) -> str:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            told = self.suite.told(number)
            if told["status"] in _OVER and told.get("result"):
                return str(told["result"])
            if told["status"] == "CONFIGURED" and told["testName"] == "oidcc-server-rotate-keys":
                self.provider.announce_key()
                self.suite.begin(number)
            for place in self.suite.to_visit(number):
                self.suite.visited(number, place["url"])
                person.visit(place["url"], place["method"])
            if person.picture:
                for placeholder in self.suite.placeholders(number):
                    self.suite.show(number, placeholder, person.picture)
            time.sleep(0.3)
        return "TIMEOUT"


def main() -> int:
    """Run these plans, or all; 0 when nothing failed that should not."""
    options = _parser().parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    counts, failed = Counter[str](), set[str]()
    callbacks = f"{options.suite}/test/a/{_ALIAS}"
    with serving(callbacks, options.trusted) as provider, chromium() as browser:
        suite = Suite(options.suite, str(options.trusted))
        run = Run(suite, provider, browser, options.pictures)
        for name in options.plans or _PLANS:
            print(f"== {name}", flush=True)
            for module, number, word in run.plan(name):
                print(f"{word:10} {module}", *suite.complaints(number), sep="\n    ", flush=True)
                counts[word] += 1
                if word not in _GOOD and (name, module) not in _MISSING:
                    failed.add(module)
    print(", ".join(f"{number} {word}" for word, number in counts.items()))
    print("Failed, and should not have:", ", ".join(sorted(failed)) or "nothing")
    return int(bool(failed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.certification", description=__doc__)
    parser.add_argument("suite", help="its address, such as https://localhost:8443")
    parser.add_argument("trusted", type=Path, help="certificate of who vouches for that address")
    parser.add_argument("plans", nargs="*", metavar="plan", help=f"some of {', '.join(_PLANS)}")
    parser.add_argument("--pictures", type=Path, help="folder for what a reviewer is to look at")
    return parser


if __name__ == "__main__":
    sys.exit(main())
