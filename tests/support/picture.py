"""docs/screenshots/journey.png, from the real pages: what `make picture` runs."""

import base64
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import Visitor, chromium, demonstration

TARGET = Path(__file__).parents[2] / "docs" / "screenshots" / "journey.png"
TITLES = {
    "sign-in": "Old identifier and password",
    "email": "1 · E-mail address",
    "email-code": "2 · Its code",
    "email-verified": "3 · Continue",
    "phone": "4 · Phone, or a refusal",
    "profile": "5 · Personal information, new password",
    "done": "Done: sign in again",
    "second-factor": "Every later sign-in: a code",
}
_SHEET = """<style>
body { margin: 0; padding: 18px; background: #dfe5ee; font: 600 15px system-ui, sans-serif; color: #17202e;
  display: grid; grid-template-columns: repeat(4, 1fr); gap: 18px }
figure { margin: 0 } figcaption { margin-bottom: 8px }
img { width: 100%; border-radius: 10px; box-shadow: 0 2px 8px #0005; display: block }
</style>"""


def main() -> None:
    """Walk a first sign-in and a second one at phone width; put the pages on one sheet."""
    with (
        tempfile.TemporaryDirectory() as state,
        demonstration(Path(state)) as demo,
        chromium() as browser,
    ):
        shots = _walk(browser, demo)
        figures = "".join(
            f"<figure><figcaption>{title}</figcaption><img src='{shots[step]}'></figure>"
            for step, title in TITLES.items()
        )
        sheet = browser.new_page(viewport={"width": 1160, "height": 400})
        sheet.set_content(_SHEET + figures)
        TARGET.parent.mkdir(exist_ok=True)
        sheet.screenshot(path=TARGET, full_page=True)
    print(f"{TARGET}: {TARGET.stat().st_size // 1024} KB")


def _walk(browser: Browser, demo: dict) -> dict[str, str]:
    size = {"width": 375, "height": 800}
    user = demo["legacy_users"][0]
    context = browser.new_context(viewport=size, locale="fr-CH")
    visitor = Visitor(
        context, demo, user["identifier"], user["password"], address="jeanne.favre@example.ch"
    )
    shots: dict[str, str] = {}

    def shoot(step: str) -> None:
        if step in TITLES and step not in shots:
            png = visitor.page.screenshot(full_page=True)
            shots[step] = "data:image/png;base64," + base64.b64encode(png).decode()

    for step in visitor.first_sign_in():
        shoot(step)
    visitor.press("Se connecter à e-services")
    for step in visitor.later_sign_in():
        shoot(step)
    return shots


if __name__ == "__main__":
    main()
