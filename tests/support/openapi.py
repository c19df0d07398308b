"""docs/openapi.yaml, read by Schemathesis: what is said of our JSON endpoints, held against real answers."""

from pathlib import Path
from typing import Any

import schemathesis
import yaml
from flask import Flask
from schemathesis import Case, openapi
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

FILE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
SCHEMA = openapi.from_dict(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
WITH_BODY = [one for one in OPERATIONS if one.body]
CHECKS = [
    *(not_a_server_error, status_code_conformance, content_type_conformance),
    *(response_headers_conformance, response_schema_conformance),
]


def check(path: str, method: str, answer: TestResponse) -> TestResponse:
    """The answer, if it is one that the description names."""
    operation = next(
        one for one in OPERATIONS if (one.path, one.method) == (path, method.casefold())
    )
    operation.Case(path_parameters={"client_id": "x"}).validate_response(answer, checks=CHECKS)
    return answer


def media_types(path: str, method: str, status: int) -> set[str]:
    """What an answer of this status may be."""
    answers = DOCUMENT["paths"][path][method.casefold()]["responses"]
    return set(answers[str(status)]["content"])


def send(app: Flask, case: Case, issuer: str, **headers: str) -> schemathesis.Response:
    """Send a case that was made up; in a context of its own, as by `SeparateClient`."""

    def apart(*wsgi: Any) -> Any:
        with app.app_context():
            return app.wsgi_app(*wsgi)

    return case.call(base_url=issuer, headers=headers, app=apart)
