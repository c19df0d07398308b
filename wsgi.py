"""The WSGI application of a deployment, configured by `IDP_…` variables."""

from config import Settings
from idp.app import create_app

app = create_app(Settings())
