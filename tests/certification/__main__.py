"""Run the plans of a suite that stands at an address of this machine, and tell what came of each module.

python -m tests.certification https://localhost:8443 authority.pem [plan ...]
"""

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
_CODE = {"client_registration": "static_client", "response_type": "code"}
_PLANS = {
    "config": ("oidcc-config-certification-test-plan", {}),
    "basic": ("oidcc-basic-certification-test-plan", _STATIC),
    "formpost": ("oidcc-formpost-basic-certification-test-plan", _STATIC),
    "logout": ("oidcc-rp-initiated-logout-certification-test-plan", _CODE),
    "backchannel": ("oidcc-backchannel-rp-initiated-logout-certification-test-plan", _CODE),
    "dynamic": ("oidcc-dynamic-certification-test-plan", {"response_type": "code"}),
}
_PATIENCE = 150
_OVER = {"FINISHED", "INTERRUPTED"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """What every module of a run needs."""

    suite: Suite
    provider: Provider
    browser: Browser

    def plan(self, name: str) -> Iterator[tuple[str, str]]:
        """Each module of a plan, and its result."""
        title, variant = _PLANS[name]
        plan = self.suite.plan(title, variant, self._configuration(name))
        for module in plan["modules"]:
            yield module["testModule"], self._module(plan["id"], module)

    def _configuration(self, plan: str) -> dict[str, Any]:
        known = dict(self.provider.configuration)
        if plan == "backchannel":
            known["client"] = known["client_told"]
        if plan == "dynamic":
            known["client"] = known["client2"] = {"initial_access_token": known["token"]}
        where = f"{self.provider.issuer}/.well-known/openid-configuration"
        return {"alias": _ALIAS, "server": {"discoveryUrl": where}, **known}

    def _module(self, plan: str, module: dict[str, Any]) -> str:
        number = self.suite.start(plan, module)
        person = Person(self.browser, self.provider, next(_numbers))
        try:
            return self._walk(number, person)
        finally:
            person.leave()

    def _walk(self, number: str, person: Person) -> str:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            told = self.suite.told(number)
            if told["status"] in _OVER:
                return f"{told['result']} {number}"
            if told["status"] == "CONFIGURED":
                self.suite.begin(number)
            for place in self.suite.to_visit(number):
                self.suite.visited(number, place["url"])
                person.visit(place["url"], place["method"])
            if person.picture:
                for placeholder in self.suite.placeholders(number):
                    self.suite.show(number, placeholder, person.picture)
            time.sleep(0.3)
        return f"TIMEOUT {number}"


def main(url: str, trusted: str, *names: str) -> int:
    """Run these plans, or all; 0 when no module failed."""
    counts: Counter[str] = Counter()
    with serving(f"{url}/test/a/{_ALIAS}", Path(trusted)) as provider, chromium() as browser:
        run = Run(Suite(url, trusted), provider, browser)
        for name in names or _PLANS:
            print(f"== {name}", flush=True)
            for module, result in run.plan(name):
                word, _, number = result.partition(" ")
                print(f"{word:10} {module}", flush=True)
                for line in run.suite.complaints(number):
                    print(f"           {line}", flush=True)
                counts[word] += 1
    print(dict(counts))
    return int(bool(counts.keys() - {"PASSED", "WARNING", "REVIEW", "SKIPPED"}))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
