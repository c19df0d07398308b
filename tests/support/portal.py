"""The relying party that people come from."""

from dataclasses import dataclass

from idp.clients import manage, registry
from idp.clients.registration import Registration
from idp.extensions import transaction

PORTAL = Registration(
    client_name="e-services",
    redirect_uris=("https://portal.example/callback",),
    post_logout_redirect_uris=("https://portal.example/bye",),
    client_uri="https://portal.example/",
    grant_types=("authorization_code", "refresh_token"),
    scope="openid profile email phone address offline_access",
)


@dataclass(frozen=True)
class TestClientApp:
    """A registered relying party."""

    __test__ = False
    client_id: str
    secret: str
    redirect_uri: str

    @property
    def row_id(self) -> int:
        """What the tables know it by."""
        registered = registry.find(self.client_id)
        assert registered is not None
        return registered.id


def register(new: Registration = PORTAL, client_id: str = "") -> TestClientApp:
    """Register a relying party; the portal, unless another is described."""
    with transaction():
        registered, secret = manage.create(new, client_id)
        return TestClientApp(registered.client_id, secret or "", next(iter(new.redirect_uris), ""))
