"""The application factory: an ordered list of set-up calls, nothing else."""

from typing import TYPE_CHECKING

from flask import Flask

from idp import logs, resources, worker
from idp.delivery import setup as delivery
from idp.extensions import init_database
from idp.keys import kek
from idp.legacy import registry as legacy_sources
from idp.oidc import routes as oidc
from idp.pages import routes as pages
from idp.web import setup as web

if TYPE_CHECKING:
    from config import Settings


def create_app(settings: "Settings") -> Flask:
    """Build the provider. Raises ConfigurationError when it could not work as configured."""
    app = Flask("idp", template_folder=resources.folder("templates"), static_folder="static")
    app.extensions["seuil.settings"] = settings
    logs.init(settings)
    init_database(app, settings.database_url)
    kek.init_app(app)
    web.init_app(app)
    legacy_sources.init_app(app)
    delivery.init_app(app)
    oidc.init_app(app)
    pages.init_app(app)
    if settings.worker == "inline":
        worker.start(app)
    return app
