"""An address that is an account's already: whether its owner may give the account another old identity."""

import re
import unicodedata

from idp.accounts.account import Account
from idp.accounts.profile import Profile
from idp.extensions import settings
from idp.migration.models import MigrationCase


def may_join(case: MigrationCase, account: Account) -> bool:
    """Whether «C’est aussi mon compte» may be said: the deployment allows it, and name and birth date agree."""
    allowed = settings.migration_conflicts == "same-person" and account.active
    return allowed and same_person(Profile.from_json(case.profile), account.profile)


def same_person(one: Profile, other: Profile) -> bool:
    """Whether given name, family name and birth date are all known and the same, however they are spelt."""
    who = _who(one)
    return all(who) and who == _who(other)


def _who(profile: Profile) -> tuple[object, ...]:
    return _bare(profile.given_name), _bare(profile.family_name), profile.birthdate


def _bare(name: str) -> str:
    """Without case, accents, hyphens and spaces; ä as a, ß as ss."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", folded))
