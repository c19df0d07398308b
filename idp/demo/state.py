"""What the demo keeps from one start to the next, in one folder."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def held(folder: Path) -> Iterator[State]:
    """The folder, made where there is none, and nobody else's until the end.

    Raises ConfigurationError when it cannot be written, is not ours, or another demonstration has it.
    """
    state = State(folder.resolve())
    try:
        mark = _open_mark(state.folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    with os.fdopen(mark):
        _lock(mark, folder)
        yield state


def fill(state: State, *, reset: bool) -> None:
    """Make what is not there yet. Raises ConfigurationError when the folder cannot be written."""
    store = state.folder / "ancien-portail.db"
    try:
        if reset:
            _empty(state.folder)
        legacy_store.seed(store)
        state.sources.write_text(legacy_store.SOURCE.replace("{path}", store.as_posix()))
    except OSError as error:
        raise _unwritable(state.folder, error) from None


def _open_mark(folder: Path) -> int:
    mark = folder / _MARK
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        message = f"{folder} holds other files; choose another with --state"
        raise ConfigurationError(message)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(mark: int, folder: Path) -> None:
    """Let go by the system when the process ends, however it ends."""
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(f"a demonstration already runs in {folder}") from None


def _empty(folder: Path) -> None:
    """Remove all but the mark, which is locked."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _MARK:
            path.unlink()


def _unwritable(folder: Path, error: OSError) -> ConfigurationError:
    why = error.strerror or type(error).__name__
    return ConfigurationError(f"cannot write {folder}: {why}; choose another with --state")


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
    """All of it or nothing: whoever waits for the file reads it as soon as it is there."""
    growing = path.with_suffix(".new")
    handle = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
        file.write("\n")
    growing.replace(path)
