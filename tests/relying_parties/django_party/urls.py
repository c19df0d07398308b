"""One page that says who is here, and the addresses of mozilla-django-oidc."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    """The address of whoever is signed in."""
    return HttpResponse(request.user.email if request.user.is_authenticated else "nobody")


def end_session_url(request: HttpRequest) -> str:
    """Where to sign out of the provider too."""
    back = request.build_absolute_uri("/")
    asked = {"id_token_hint": request.session["oidc_id_token"], "post_logout_redirect_uri": back}
    return f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{urlencode(asked)}"


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]
