"""What the demo keeps from one start to the next, in one folder."""

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from idp.demo import legacy_store
from idp.errors import ConfigurationError

_MARK = "seuil-demo"


@dataclass(frozen=True)
class State:
    """The folder's files."""

    folder: Path

    @property
    def database(self) -> Path:
        """The provider's database."""
        return self.folder / "seuil.db"

    @property
    def kek(self) -> Path:
        """The provider's key-encryption key."""
        return self.folder / "kek.json"

    @property
    def sources(self) -> Path:
        """The file that names the legacy store."""
        return self.folder / "legacy.toml"

    @property
    def summary(self) -> Path:
        """`demo.json`."""
        return self.folder / "demo.json"


def prepare(folder: Path, *, reset: bool) -> State:
    """Make or reuse the folder. Raises ConfigurationError when it cannot be written, or is not ours."""
    state = State(folder.resolve())
    try:
        if reset and state.folder.exists():
            _remove(state.folder)
        if state.folder.exists() and any(state.folder.iterdir()) and not _is_ours(state.folder):
            message = f"{folder} holds other files; choose an empty folder with --state"
            raise ConfigurationError(message)
        state.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (state.folder / _MARK).touch()
        legacy_store.seed(state.folder / "ancien-portail.db")
        store = (state.folder / "ancien-portail.db").as_posix()
        state.sources.write_text(legacy_store.SOURCE.replace("{path}", store))
    except OSError as error:
        raise ConfigurationError(f"cannot write {folder}: {error.strerror}") from None
    return state


def remembered(state: State) -> dict[str, Any]:
    """Secrets made at the first start: the client's, the SMS gateway's, the portal's cookie key."""
    path = state.folder / "secrets.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    return {"sms_token": secrets.token_urlsafe(24), "cookie_key": secrets.token_urlsafe(32)}


def remember(state: State, values: dict[str, Any]) -> None:
    """Keep them, for the owner's eyes only."""
    _write_private(state.folder / "secrets.json", values)


def write_summary(state: State, urls: dict[str, str], client: dict[str, Any]) -> None:
    """Write `demo.json`: URLs, the client, and the people with their old passwords."""
    users = [asdict(user) for user in legacy_store.people()]
    _write_private(state.summary, {**urls, "client": client, "legacy_users": users})


def _write_private(path: Path, values: dict[str, Any]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _remove(folder: Path) -> None:
    if not _is_ours(folder) and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} was not made by this demo; remove it yourself")
    shutil.rmtree(folder)


def _is_ours(folder: Path) -> bool:
    return (folder / _MARK).exists()
