"""A real SMPP message centre: the npm package `smpp`, run by node."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent / "smpp"


def available() -> bool:
    """True where node and the package are installed."""
    return shutil.which("node") is not None and (HOME / "node_modules" / "smpp").is_dir()


class Centre:
    """The process; `events` is what it saw, as it says it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._seen = threading.Condition()
        self._process = subprocess.Popen(
            ["node", str(HOME / "server.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for(lambda event: event["event"] == "listening")["port"])

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._seen:
                self.events.append(json.loads(line))
                self._seen.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 10) -> Any:
        """The first event of this kind, as soon as there is one."""
        with self._seen:
            found = self._seen.wait_for(lambda: [e for e in self.events if wanted(e)], seconds)
        assert found, self.events
        return found[0]

    def of(self, name: str) -> list[dict[str, Any]]:
        """Events of one name up to now: what was answered was written down before."""
        self.tell()
        with self._seen:
            return self._named(name)

    def tell(self, **command: Any) -> None:
        """Change how it behaves; done when it is."""
        assert self._process.stdin
        with self._seen:
            before = len(self._named("done"))
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            assert self._seen.wait_for(lambda: len(self._named("done")) > before, 10)

    def _named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()
