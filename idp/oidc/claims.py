"""Claims of an account by scope (OIDC Core 5.1, 5.4). What is unknown is left out."""

from typing import Any

from idp.accounts.account import Account
from idp.oidc import legacy_scope

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name", "birthdate", "locale", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    legacy_scope.SCOPE: (legacy_scope.CLAIM,),
}


def of(account: Account, scope: str) -> dict[str, Any]:
    """Every known claim that the scope covers."""
    claims = known(account)
    wanted = [name for part in scope.split() for name in SCOPE_CLAIMS.get(part, ())]
    return {name: claims[name] for name in wanted if name in claims}


def known(account: Account) -> dict[str, Any]:
    """Every claim that has a value."""
    return {name: value for name, value in _all(account).items() if value not in (None, "", {})}


def _all(account: Account) -> dict[str, Any]:
    """An address and a number are on an account only after a code sent to them came back."""
    return {
        "name": f"{account.given_name} {account.family_name}".strip(),
        "given_name": account.given_name,
        "family_name": account.family_name,
        "birthdate": account.birthdate and account.birthdate.isoformat(),
        "locale": account.locale,
        "updated_at": int(account.updated_at.timestamp()),
        "email": account.email,
        "email_verified": True,
        "phone_number": account.phone,
        "phone_number_verified": True if account.phone else None,
        "address": _address(account),
    }


def _address(account: Account) -> dict[str, str]:
    parts = {
        "street_address": account.street_address,
        "postal_code": account.postal_code,
        "locality": account.locality,
        "country": account.country,
    }
    known = {name: value for name, value in parts.items() if value}
    town = f"{account.postal_code} {account.locality}".strip()
    lines = [line for line in (account.street_address, town, account.country) if line]
    return {"formatted": "\n".join(lines), **known} if known else {}
