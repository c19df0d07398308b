"""The scope `legacy`: a relying party that knows people by their old identifiers learns them for a while.

Ours, of no specification. What it may know is in its registration: `legacy_sources`, until `legacy_until`.
"""

from typing import Any

from idp.clients import registry
from idp.grants.models import Token
from idp.legacy import identity as identities
from idp.migration import campaign

SCOPE, CLAIM = "legacy", "legacy_identifiers"


def of(token: Token) -> dict[str, Any]:
    """Source to identifiers that the account holds there; nothing without the scope, after the last day, or
    when there are none. One statement, none where nothing may be told."""
    if SCOPE not in token.scope.split():
        return {}
    client = registry.by_row_id(token.client_id)
    if client is None or SCOPE not in client.scopes or not campaign.lasts(client.legacy_until):
        return {}
    held = identities.identifiers(token.account_id, client.legacy_sources)
    return {CLAIM: held} if held else {}
