"""One old identity, two accounts of one person, two browsers at the same moment: it is joined to one."""

import pytest

from idp.audit.models import AuditEvent
from idp.extensions import db
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import MigrationCase
from idp.sessions.models import Authentication
from tests.support.accounts import make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.together import together

ADDRESSES = ("one@example.ch", "two@example.ch")


@pytest.mark.parametrize("ends", ["both join", "one joins, one finishes"])
def test_an_identity_goes_to_one_account(app, another, ends):
    accounts = [make_account(address) for address in ADDRESSES]
    people, fields = [], []
    for number, address in enumerate(ADDRESSES):
        person = another().authorize()
        if number and ends != "both join":
            person.to_profile("jeanne", PASSWORD, "three@example.ch")
            fields.append({"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD})
        else:
            person.sign_in("jeanne", PASSWORD).press("Recevoir le code", email=address)
            person.press("Vérifier le code", code=person.code(address))
            person.press("C’est aussi mon compte").press("Continuer", password=NEW_PASSWORD)
            fields.append({"code": person.code(address)})
        people.append(person)

    def finish(number):
        with app.app_context():
            return people[number].post(people[number].path, **fields[number]).status_code

    assert set(together(2, finish)) <= {303, 422}
    db.session.rollback()
    identity = db.session.query(LegacyIdentity).one()
    assert identity.account_id is not None
    assert db.session.query(MigrationCase).one().completed_at is not None
    joined = db.session.query(AuditEvent).filter_by(event="case_joined").count()
    made = db.session.query(AuditEvent).filter_by(event="migrated").count()
    assert joined + made == 1
    signed_in = {row.account_id for row in db.session.query(Authentication)}
    assert signed_in <= set(accounts), "both factors of an account sign in to it, whoever was first"
