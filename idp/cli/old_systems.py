"""The old systems that commands are about: reached without keys, mail or SMS."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from idp.cli.common import database_only
from idp.errors import ConfigurationError
from idp.legacy import registry
from idp.legacy.source import LegacySource


@contextmanager
def old_systems() -> Iterator[Flask]:
    """A database that is ready, and the sources; neither keys nor servers are needed to look at them."""
    with database_only() as app:
        registry.init_app(app)
        try:
            yield app
        finally:
            for source in registry.current().sources:
                source.close()


def named(name: str) -> LegacySource:
    """The source. Raises ConfigurationError that names those there are."""
    found = {source.options.name: source for source in registry.current().sources}
    if name not in found:
        known = ", ".join(found) or "none"
        raise ConfigurationError(f"no source is called {name}; IDP_LEGACY_SOURCES has: {known}")
    return found[name]
