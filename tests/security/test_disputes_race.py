"""«This was not me» while the last button of the migration is at work: the account does not get away."""

import threading
import time

from idp.accounts import account as accounts
from idp.extensions import db, transaction
from idp.flow import alerts
from idp.flow.alerts import Alert, Confirmed
from idp.migration import completion
from idp.migration.models import MigrationCase
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.strict import asking_for
from tests.support.together import together

THIEF = "thief@example.com"


def test_a_link_that_is_confirmed_meanwhile_blocks_the_account_that_comes(
    app, tmp_path, person, monkeypatch
):
    half_way, insert = threading.Event(), completion._insert

    def slowly(*arguments):
        half_way.set()
        time.sleep(0.3)
        return insert(*arguments)

    monkeypatch.setattr(completion, "_insert", slowly)
    with asking_for(app, tmp_path, "password"):
        person.authorize().to_profile("jeanne", PASSWORD, THIEF)
        alert = db.session.query(Alert).one().id
        db.session.rollback()

        def act(number):
            with app.app_context():
                if number:
                    assert half_way.wait(10)
                    with transaction():
                        return alerts.confirm(db.session.get(Alert, alert))
                both = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
                return person.post(person.path, **both).status_code

        assert together(2, act) == [303, Confirmed.BLOCKED]
    db.session.rollback()
    assert db.session.query(MigrationCase).one().disputed_at is not None
    assert not accounts.by_email_key(THIEF).active
