"""The options of each kind of route, from a table of the routes file. Raises ValueError."""

import tomllib
from importlib import resources
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from idp.delivery.filling import check, placeholders
from idp.delivery.http_gateway import HttpGateway, Success
from idp.delivery.smtp import SmtpServer
from idp.delivery.tables import TomlTable

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_TIMEOUT = 60.0
_GATEWAYS = resources.files("idp.delivery") / "gateways"


def smtp_server(table: TomlTable, hello: str, timeout: float) -> SmtpServer:
    """A submission server."""
    server = SmtpServer(
        host=table.text("host"),
        port=table.port(587),
        security=cast(
            "Literal['starttls', 'tls', 'none']",
            table.choice("security", ("starttls", "tls", "none"), "starttls"),
        ),
        hello=hello,
        username=table.text("username", ""),
        password=table.text("password", ""),
        timeout=timeout,
        idle=table.number("idle", 30, most=3600),
    )
    if server.security == "none" and server.host not in LOOPBACK:
        raise ValueError('security = "none" is for a mail server on this machine only')
    return server


def http_gateway(table: dict[str, Any]) -> HttpGateway:
    """An HTTP gateway; what the table leaves out comes from the template that it names, if any."""
    own = dict(table)
    merged = TomlTable({**_template(own.pop("template", None)), **own})
    kind, body = _body(merged)
    gateway = HttpGateway(
        url=merged.text("url"),
        method=merged.choice("method", ("POST", "GET", "PUT"), "POST"),
        headers=merged.table("headers"),
        kind=kind,
        body=body,
        escape=cast("Literal['', 'xml', 'url']", merged.choice("escape", ("", "xml", "url"), "")),
        user=_user(merged),
        signature=cast("Literal['', 'ovhcloud']", merged.choice("signature", ("", "ovhcloud"), "")),
        sender=merged.text("sender", ""),
        values=merged.secrets("values"),
        success=_success(merged),
        reference=merged.raw("reference", str, ""),
    )
    merged.end()
    _check_url(gateway.url)
    check(gateway.shape, gateway.values, gateway.sender)
    if gateway.signature and "application_secret" not in gateway.values:
        raise ValueError("{application_secret} stands for nothing: write values.application_secret")
    return gateway


def demand_message(gateway: HttpGateway) -> None:
    """Raises ValueError unless number and text are handed over: a gateway may thank for less."""
    said = set(placeholders(gateway.shape))
    if not {"to", "digits"} & said:
        raise ValueError("write where {to} or {digits}, the number, goes")
    if "text" not in said:
        raise ValueError("write where {text} goes: in json, form, text or url")


def _template(name: object) -> dict[str, Any]:
    if name is None:
        return {}
    known = sorted(file.name.removesuffix(".toml") for file in _GATEWAYS.iterdir())
    if name not in known:
        raise ValueError(f"template must be one of {', '.join(known)}")
    return tomllib.loads((_GATEWAYS / f"{name}.toml").read_text())


def _body(table: TomlTable) -> tuple[Literal["json", "form", "text", ""], Any]:
    given = [name for name in ("json", "form", "text") if table.has(name)]
    if len(given) > 1:
        raise ValueError(f"write one of json, form and text, not {' and '.join(given)}")
    for name in given:
        body = table.raw(name, str if name == "text" else dict)
        return cast("Literal['json', 'form', 'text']", name), body
    return "", None


def _user(table: TomlTable) -> tuple[str, str] | None:
    pair = table.texts("user")
    if len(pair) not in {0, 2}:
        raise ValueError("user must be [name, password]")
    return (pair[0], pair[1]) if pair else None


def _success(table: TomlTable) -> Success:
    rule = TomlTable(table.raw("success", dict, {}), within="success.")
    status = rule.raw("status", list, list(range(200, 300)))
    if not all(isinstance(code, int) for code in status):
        raise ValueError("success.status must be a list of numbers")
    path, contains = rule.raw("json", str, ""), rule.raw("contains", str, "")
    equals = rule.raw("equals", object) if rule.has("equals") else None
    if equals is not None and not path:
        raise ValueError("success.equals needs success.json, the place to look at")
    rule.end()
    return Success(frozenset(status), path, equals, contains)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("url must be https: codes would travel in clear")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write url like https://gateway.example/send")
