"""An old identifier typed after the migration: whoever has the new password learns what it is now.

Such tries are counted for the account, under however many old identifiers. It signs nobody in.
"""

from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.accounts.addresses import mask_email
from idp.extensions import release, transaction
from idp.flow import tries


def new_identifier(account_id: int, password: str, network: str) -> str | None:
    """The account's address, masked, when the password is the account's; None in every other case."""
    account = accounts.by_id(account_id)
    if account is None or not account.active:
        return None
    password_hash, masked = account.password_hash, mask_email(account.email)
    with transaction():
        counted = tries.at_old_identifier(account.sub, network)
        wait = counted.reserve()
    release()
    if wait or not passwords.check_password(password_hash, password).right:
        return None
    with transaction():
        tries.give_back(counted)
    return masked
