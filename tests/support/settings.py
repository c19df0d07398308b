"""Settings of test applications: cheap hashes, no floor, everything else as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from config import Settings
from idp.delivery import setup as delivery

CHEAP: dict[str, Any] = {
    "argon2_memory": 8,
    "argon2_time": 1,
    "sign_in_floor": timedelta(0),
    "worker": "external",
    "log_level": "INFO",
}


def make_settings(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings for one test application; `folder` holds its key-encryption key."""
    values = {
        **CHEAP,
        "database_url": database_url,
        "kek_file": folder / "kek.json",
        "smtp_security": "none",
        "mail_from": "no-reply@example.ch",
        **changes,
    }
    return Settings(**values)


@contextmanager
def override(app: Flask, **changes: Any) -> Iterator[None]:
    """Run with other settings for a while, and with the routes that follow from them."""
    before = dict(app.extensions)
    app.extensions["seuil.settings"] = before["seuil.settings"].model_copy(update=changes)
    elsewhere = any(name.startswith(("smtp_", "sms_", "mail_", "delivery_")) for name in changes)
    try:
        if elsewhere:
            delivery.init_app(app)
        yield
    finally:
        if app.extensions.get("seuil.routes") is not before.get("seuil.routes"):
            app.extensions["seuil.routes"].close()
        app.extensions.update(before)
