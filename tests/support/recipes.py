"""What docs/relying-parties.md tells developers to write, so that the tests try just that."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "relying-parties.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def recipe(language: str, holding: str, changes: dict[str, str]) -> str:
    """The block of this language that holds a text, with other names and addresses in the place of its own."""
    blocks = _BLOCK.findall(_PAGE.read_text())
    (text,) = [block for kind, block in blocks if kind == language and holding in block]
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return str(text)
