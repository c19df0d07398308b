"""Where the files that travel with the package are, in a wheel, an editable install or a checkout."""

import importlib
from pathlib import Path

_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """Folder of `idp.<name>`: `templates` and `migrations` stand beside the package in a checkout."""
    try:
        module = importlib.import_module(f"idp.{name}")
    except ModuleNotFoundError:
        return _HERE.parent / name
    return Path(module.__file__ or "").parent
