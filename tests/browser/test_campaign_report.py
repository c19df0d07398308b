"""The campaign's page: complete in itself, for every eye, on every screen."""

import pytest

from idp.cli import campaign_status
from tests.browser.test_accessibility import violations
from tests.support.browser import DESKTOP, PHONE, SMALLEST
from tests.support.report import example

SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def file(app, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(campaign_status.page(example(), "fr"))
    return path


@pytest.fixture
def opened(browser, file):
    """Opens the page, and hears what it asks for and complains about."""
    contexts, heard = [], []

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: heard.append(request.url))
        page.on("console", lambda message: heard.append(message.text))
        page.on("dialog", lambda dialog: heard.append(dialog.message))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(heard) == {file.as_uri()}, "it needs nothing else, and no name acts"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(opened, scheme, size):
    page = opened(color_scheme=scheme, viewport=size, bypass_csp=True)
    assert violations(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALLEST], ids=["desktop", "phone", "smallest"])
def test_nothing_scrolls_sideways_but_the_table(opened, size):
    page = opened(viewport=size)
    assert not page.evaluate(SIDEWAYS)
    assert page.get_by_role("region", name="Par ancien système").is_visible()


def test_the_chart_has_a_bar_of_each_kind_for_each_day(opened):
    page = opened(viewport=DESKTOP)
    chart = page.get_by_role("img")
    assert chart.locator("rect").count() == 2 * len(example().days)
    heights = [float(bar.get_attribute("height")) for bar in chart.locator("rect").all()]
    assert max(heights) == 100.0
    assert min(heights) > 0
