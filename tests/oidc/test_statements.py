"""What hot requests cost in SQL (DESIGN 6): authorize with a session 6, token 6, userinfo 2."""

from idp.clients import registry
from idp.keys import signing
from tests.support.dpop import Holder
from tests.support.journey import ISSUER
from tests.support.statements import counted
from tests.support.tokens import ask_token, redeem, userinfo


def test_authorize_with_a_session_takes_at_most_six_statements(signed_in):
    registry.find(signed_in.client.client_id)
    with counted() as statements:
        signed_in.authorize()
    assert signed_in.step == "callback"
    assert len(statements) <= 6, statements


def test_token_takes_at_most_six_statements(signed_in):
    signing.active("RS256")
    with counted() as statements:
        assert ask_token(signed_in).status_code == 200
    assert len(statements) <= 6, statements


def test_userinfo_takes_at_most_two_statements(signed_in):
    token = redeem(signed_in)["access_token"]
    with counted() as statements:
        assert userinfo(signed_in, token).status_code == 200
    assert len(statements) <= 2, statements


def test_a_proof_costs_one_more_at_each(signed_in):
    holder = Holder().fetch_nonce()
    with counted() as statements:
        token = redeem(signed_in, headers=holder.prove())["access_token"]
    assert len(statements) <= 6, statements
    headers = holder.carry(token)
    with counted() as statements:
        client = signed_in.app.test_client()
        assert client.get("/userinfo", headers=headers, base_url=ISSUER).status_code == 200
    assert len(statements) <= 2, statements
