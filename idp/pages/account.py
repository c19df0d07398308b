"""One's own account: what is known, another password, sign out everywhere."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.phones import readable
from idp.extensions import settings
from idp.flow import account as flow
from idp.flow.account import PasswordChanged, PresentRefused
from idp.flow.enrolment import PasswordRefused
from idp.flow.interaction import Notice
from idp.flow.visit import Visit
from idp.pages import words
from idp.pages.blueprint import blueprint
from idp.web import cookies
from idp.web.guard import account_page, sign_in_again
from idp.web.network import network
from idp.web.responses import page


@blueprint.get("/account")
@account_page
def account(visit: Visit) -> Response:
    """What is known of the person, and what they can change."""
    own = visit.account
    return page(
        "account.html",
        account=own,
        number=readable(own.phone) if own.phone else None,
        changed=request.args.get("changed") == "phone",
        held=words.held(own.contacts_held_until)
        if own.contacts_held and own.contacts_held_until
        else None,
    )


@blueprint.get("/account/password")
@account_page
def account_password(visit: Visit) -> Response:
    """Ask for the present password and another."""
    return _show(visit, 200)


@blueprint.post("/account/password")
@account_page
def submit_account_password(visit: Visit) -> Response:
    """«Changer le mot de passe»."""
    typed = [request.form.get(name, "") for name in ("present", "password", "confirmation")]
    match flow.change_password(visit, typed[0], typed[1], typed[2], network()):
        case PasswordChanged(email=email, epoch=epoch):
            notice = Notice.PASSWORD_CHANGED
            return sign_in_again(visit, epoch, identifier=email, notice=notice)
        case PasswordRefused(problems=problems):
            return _show(visit, 422, *[words.password_problem(one) for one in problems])
        case PresentRefused(wait=pause):
            return _show(visit, 429 if pause else 422, words.present_problem(pause))


@blueprint.post("/account/end-sessions")
@account_page
def end_sessions(visit: Visit) -> Response:
    """«Se déconnecter partout»."""
    flow.end_sessions(visit)
    answer = redirect(url_for("logout.done"), 303)
    cookies.clear_session(answer)
    return answer


def _show(visit: Visit, status: int, *problems: words.Problem) -> Response:
    return page(
        "account-password.html",
        status=status,
        email=visit.account.email,
        problems=problems,
        least=settings.password_min,
    )
