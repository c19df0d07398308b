"""Who sits at the terminal, and the trace that reading leaves."""

import os
import pwd
from collections.abc import Mapping

from idp.accounts.addresses import mask_email
from idp.audit import events
from idp.cli.common import sudo_user
from idp.extensions import transaction


def actor() -> str:
    """The login, as the kernel knows it; behind `sudo` also who called it, as sudo says."""
    uid = os.getuid()
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = f"uid {uid}"
    caller = sudo_user()
    return f"os:{caller} as {login}" if caller and caller != login else f"os:{login}"


def looked_at(
    what: str, found: int, sought: Mapping[str, object], *, sub: str | None = None
) -> None:
    """Write, and commit, that somebody is about to be shown `found` rows.

    `sought` are the filters, masked, empty ones left out; `sub` is the account, where it is about one.
    """
    named = {name: str(value) for name, value in sought.items() if value not in (None, "", False)}
    with transaction():
        events.looked_at(what=what, sought=named, found=found, actor=actor(), sub=sub)


def masked(text: str) -> str:
    """What was looked for: enough to recognise, too little to know. Empty stays empty."""
    return mask_email(text) if "@" in text else text[:1] + "•••" if text else ""
