"""People who have migrated already."""

from datetime import date

from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.accounts.addresses import parse_email
from idp.accounts.profile import Profile
from idp.extensions import transaction
from tests.support.journey import NEW_PASSWORD

ADDRESS = "jeanne@example.ch"
PROFILE = Profile(
    given_name="Jeanne",
    family_name="Favre",
    birthdate=date(1950, 3, 14),
    street_address="Rue du Lac 1",
    postal_code="1800",
    locality="Vevey",
    country="CH",
)


def make_account(
    address: str = ADDRESS, phone: str | None = None, profile: Profile = PROFILE
) -> int:
    """An account with `NEW_PASSWORD`; its row id."""
    parsed = parse_email(address)
    assert parsed is not None
    hashed = passwords.hash_password(NEW_PASSWORD)
    with transaction():
        account = accounts.create(
            address=parsed, password_hash=hashed, phone=phone, profile=profile, locale="fr"
        )
        return account.id
