"""One's own account: another address, another number."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.phones import PhoneProblem, readable
from idp.challenges.challenge import Channel, Purpose
from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.flow import contacts as flow
from idp.flow.contacts import ContactsHeld, EmailChanged, Outcome
from idp.flow.enrolment import InputProblem
from idp.flow.interaction import Notice
from idp.flow.visit import Visit
from idp.pages import words
from idp.pages.blueprint import blueprint
from idp.pages.codes import waiting
from idp.web.guard import account_page, sign_in_again
from idp.web.network import network
from idp.web.responses import page

_FORMS = {Purpose.EMAIL_CHANGE: "account_email", Purpose.PHONE_CHANGE: "account_phone"}


@blueprint.get("/account/email")
@account_page
def account_email(visit: Visit) -> Response:
    """Ask for the new address."""
    return _show_form(visit, "email", 200, visit.account.email)


@blueprint.post("/account/email")
@account_page
def submit_account_email(visit: Visit) -> Response:
    """Send a code to it."""
    typed = request.form.get("email", "")
    match flow.give_email(visit, typed, network()):
        case Sent():
            return _to("account_email_code")
        case SendRefused() as refused:
            return _show_form(visit, "email", 429, typed, words.send_problem("email", refused))
        case InputProblem():
            return _show_form(visit, "email", 422, typed, words.email_problem())
        case ContactsHeld(until=until):
            return _show_form(visit, "email", 422, typed, words.held_problem("email", until))


@blueprint.get("/account/email-code")
@account_page
def account_email_code(visit: Visit) -> Response:
    """Ask for the code from the new mailbox."""
    return _show_code(visit, Purpose.EMAIL_CHANGE, 200)


@blueprint.post("/account/email-code")
@account_page
def submit_account_email_code(visit: Visit) -> Response:
    """Check it: from then on the identifier is the new one."""
    match flow.verify_email(visit, request.form.get("code", "")):
        case EmailChanged(email=email, epoch=epoch):
            return sign_in_again(visit, epoch, identifier=email, notice=Notice.EMAIL_CHANGED)
        case CodeRefused() as refused:
            return _refused(visit, Purpose.EMAIL_CHANGE, refused)
        case ContactsHeld(until=until):
            return _show_form(visit, "email", 422, "", words.held_problem("email", until))
        case Outcome():
            return _show_form(visit, "email", 422, "", words.taken_problem())


@blueprint.get("/account/phone")
@account_page
def account_phone(visit: Visit) -> Response:
    """Ask for the new number."""
    return _show_form(visit, "phone", 200, visit.account.phone or "")


@blueprint.post("/account/phone")
@account_page
def submit_account_phone(visit: Visit) -> Response:
    """Send a code to it."""
    typed = request.form.get("phone", "")
    match flow.give_phone(visit, typed, network()):
        case Sent():
            return _to("account_phone_code")
        case SendRefused() as refused:
            status = words.send_status(refused)
            return _show_form(visit, "phone", status, typed, words.send_problem("phone", refused))
        case PhoneProblem() as problem:
            return _show_form(visit, "phone", 422, typed, words.phone_problem(problem))
        case ContactsHeld(until=until):
            return _show_form(visit, "phone", 422, typed, words.held_problem("phone", until))


@blueprint.get("/account/phone-code")
@account_page
def account_phone_code(visit: Visit) -> Response:
    """Ask for the code from the new phone."""
    return _show_code(visit, Purpose.PHONE_CHANGE, 200)


@blueprint.post("/account/phone-code")
@account_page
def submit_account_phone_code(visit: Visit) -> Response:
    """Check it: from then on codes go there."""
    match flow.verify_phone(visit, request.form.get("code", "")):
        case CodeRefused() as refused:
            return _refused(visit, Purpose.PHONE_CHANGE, refused)
        case ContactsHeld(until=until):
            return _show_form(visit, "phone", 422, "", words.held_problem("phone", until))
        case Outcome():
            return _to("account", changed="phone")


@blueprint.post("/account/phone/remove")
@account_page
def remove_phone(visit: Visit) -> Response:
    """«Retirer le numéro»."""
    match flow.remove_phone(visit):
        case ContactsHeld(until=until):
            return _show_form(visit, "phone", 422, "", words.held_problem("phone", until))
        case Outcome():
            return _to("account", changed="phone")


@blueprint.post("/account/resend")
@account_page
def resend_account_code(visit: Visit) -> Response:
    """Send the awaited code again."""
    outcome, purpose = flow.resend(visit, network()), _purpose(visit)
    if isinstance(outcome, SendRefused) and purpose:
        status = words.send_status(outcome)
        return _show_code(visit, purpose, status, notice=words.send_refusal(outcome))
    return _to(f"{_FORMS[purpose]}_code" if purpose else "account")


@blueprint.post("/account/cancel")
@account_page
def cancel_account_code(visit: Visit) -> Response:
    """Back to the form, which takes another."""
    purpose = _purpose(visit)
    flow.cancel(visit)
    return _to(_FORMS[purpose] if purpose else "account")


def _purpose(visit: Visit) -> Purpose | None:
    return next((purpose for purpose in _FORMS if flow.awaited(visit, purpose)), None)


def _refused(visit: Visit, purpose: Purpose, refused: CodeRefused) -> Response:
    return _show_code(visit, purpose, words.code_status(refused), words.code_problem(refused))


def _show_form(
    visit: Visit, kind: str, status: int, value: str, *problems: words.Problem
) -> Response:
    removable = visit.account.phone is not None
    return page(
        f"account-{kind}.html",
        status=status,
        value=value,
        problems=problems,
        removable=removable,
    )


def _show_code(
    visit: Visit,
    purpose: Purpose,
    status: int,
    *problems: words.Problem,
    notice: str | None = None,
) -> Response:
    """The page that waits for a code; the form where none is awaited any more."""
    challenge = flow.awaited(visit, purpose)
    if challenge is None:
        return _to(_FORMS[purpose])
    by_sms = challenge.channel is Channel.SMS
    return page(
        "account-code.html",
        status=status,
        action=url_for(f"pages.{_FORMS[purpose]}_code"),
        step=f"{_FORMS[purpose]}_code".replace("_", "-"),
        resend=url_for("pages.resend_account_code"),
        problems=problems,
        notice=notice,
        by_sms=by_sms,
        destination=readable(challenge.destination) if by_sms else challenge.destination,
        **waiting(challenge),
    )


def _to(name: str, *, changed: str | None = None) -> Response:
    return redirect(url_for(f"pages.{name}", changed=changed), 303)
