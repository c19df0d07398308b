"""Whatever is sent to whatever address, by whatever method: no answer is a fault of ours."""

from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.support.journey import ISSUER
from tests.support.settings import override

OTHERS = ("PATCH", "TRACE", "BREW")
KINDS = (
    *("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"),
    *("application/json; charset=utf-16", "text/plain", "\xff", ""),
)
NAMES = (
    *("client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age", "claims"),
    *("request", "request_uri", "id_token_hint", "code", "code_verifier", "refresh_token", "token"),
    *("grant_type", "client_assertion", "client_assertion_type", "access_token", "bind"),
    *("client_secret", "post_logout_redirect_uri", "response_mode", "csrf_token", "ui_locales"),
)
VALUES = (
    *("\x00", "\ud800", "\ufffd", "é" * 50, "%", "..", "a\r\nb", "9" * 5000, "-1", "1e999", "NaN"),
    *('{"id_token":' * 500, "[" * 5000, '{"a":1,"a":2}', "e30.e30.", "e30.e30.e30", "x" * 20_000),
    *("authorization_code", "refresh_token", "code", "openid", "none login", "form_post", "S256"),
    *("https://portal.example/callback", "urn:ietf:params:oauth:request_uri:" + "x" * 43),
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
)
HEADERS = (
    *("Basic", "Basic x", "Basic ====", "Basic AAAA", "Basic /////w==", "Bearer", "Bearer \x7f"),
    *("Bearer " + "x" * 43, "DPoP x", "", "Basic " + "QTpC" * 3000),
)
texts = st.sampled_from(VALUES) | st.text(max_size=20)


@st.composite
def requests(draw, routes, names):
    """Method, path, and what goes with them; `names` are those of clients that there are."""
    path, method = draw(st.sampled_from(routes))
    values = texts | st.sampled_from(names)
    for name in ("<token:interaction_id>", "<token:token>", "<client_id>", "<path:elsewhere>"):
        hole = draw(st.sampled_from(["x" * 43, *names]) | texts)
        path = path.replace(name, quote(hole.encode("utf-8", "surrogatepass"), safe=""))
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=6))
    written = "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'), safe='')}" for name, value in pairs
    )
    headers = {"Authorization": draw(st.sampled_from(HEADERS))} if draw(st.booleans()) else {}
    headers |= draw(st.sampled_from([{}, {"Accept-Language": "\xff;q=x"}, {"Cookie": "=;\xff=a"}]))
    headers |= draw(st.sampled_from([{}, {"Origin": "null"}, {"X-Forwarded-For": "\xff"}]))
    return {
        "method": method,
        "path": path,
        "query_string": written if draw(st.booleans()) else "",
        "data": draw(st.sampled_from([written.encode()]) | st.binary(max_size=50)),
        "content_type": draw(st.sampled_from(KINDS)),
        "headers": headers,
    }


def test_no_request_is_a_fault_of_ours(app, portal):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    routes = [(rule.rule, method) for rule in rules for method in sorted(rule.methods or ())]
    routes += [(rule.rule, method) for rule in rules[::20] for method in OTHERS]
    browser = app.test_client()

    @limits(
        max_examples=600,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(request=requests(routes, [portal.client_id, portal.redirect_uri]))
    def answered(request):
        assert browser.open(base_url=ISSUER, **request).status_code < 500

    with override(app, registration="open", registrations_per_network=10**6):
        answered()
