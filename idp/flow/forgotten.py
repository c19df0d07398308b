"""A forgotten old password: a code to the address on record stands for it.

Whoever is asked for, the page, the counts and the floor are those of an address that is nobody's. What the
message goes to is counted as well, but nobody is told.
"""

from dataclasses import dataclass

from idp import clock
from idp.accounts.addresses import parse_email
from idp.challenges import budgets
from idp.challenges.results import CodeProblem, CodeRefused, CodeVerified
from idp.extensions import db, release
from idp.flow.interaction import Interaction, forget_forgotten, forget_proofs, forget_recovery
from idp.legacy import identity as identities
from idp.legacy import registry as legacy
from idp.legacy.identity import LegacyIdentity
from idp.legacy.registry import Found
from idp.legacy.source import Proof
from idp.migration import campaign, cases


@dataclass(frozen=True)
class OnRecord:
    """Whose migration the code opens, and where it goes."""

    identity_id: int
    address: str


def look_up(identifier: str) -> Found | None:
    """Ask the old systems who that is, holding no connection of ours.

    Nobody where that would not help: the row is locked, has no address, or takes an invitation; or the
    campaign has shut its door.
    """
    door = campaign.door()
    release()
    if not identifier or not door.open:
        return None
    found = legacy.find(identifier, door.shut)
    if not isinstance(found, Found) or found.person.locked:
        return None
    return None if legacy.proof(found.source) is Proof.INVITE else found


def prepare(interaction: Interaction, found: Found | None, typed: str) -> OnRecord | None:
    """Note whom the code is for, in the caller's transaction; None when it is to be nobody's.

    Counts the message that is about to go to the address on record.
    """
    forget_forgotten(interaction)
    address = parse_email(found.person.email) if found else None
    if found is None or address is None:
        return None
    identity = identities.meet(found.source, found.person.key)
    if identity.account_id is not None or not budgets.admit_on_record(address.address):
        return None
    interaction.forgotten_identity_id = identity.id
    interaction.forgotten_profile = cases.Known.of(found.source, found.person, typed).as_json()
    return OnRecord(identity.id, address.address)


def open_case(interaction: Interaction, proof: CodeVerified) -> CodeRefused | None:
    """The mailbox on record answered: its owner migrates. Runs in the caller's transaction."""
    if proof.identity_id is None or interaction.forgotten_identity_id != proof.identity_id:
        return CodeRefused(CodeProblem.EXPIRED)
    identity = db.session.get_one(LegacyIdentity, proof.identity_id)
    case = cases.open_or_resume(
        cases.Known.again(identity.source, identity.key, interaction.forgotten_profile or {})
    )
    if case is None:
        return CodeRefused(CodeProblem.EXPIRED)
    forget_recovery(interaction)
    forget_proofs(interaction)
    interaction.case_id = case.id
    # Where the case is disputed the next page says so.
    interaction.legacy_verified_at = clock.now()
    interaction.legacy_proof = Proof.CONTACT
    return None
