"""Schemes that somebody made up: a digest of password, salt and pepper, in an order that is described."""

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from idp.legacy.hashes import costs
from idp.legacy.hashes.costs import UnsupportedHashError
from idp.security.references import secret

_LONGEST_PASSWORD = 1024


class HomeMade(BaseModel):
    """`salt` and `pepper_at` say where they stand: before or after the password, or as the key of an HMAC. The
    salt is a text of the row; the pepper is one for all. Each further round digests the bytes of the last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
    salt: Literal["none", "before", "after", "hmac"] = "before"
    pepper: Annotated[SecretStr, BeforeValidator(secret)] = SecretStr("")
    pepper_at: Literal["before", "after", "hmac"] = "after"
    rounds: int = Field(1, ge=1, le=costs.MOST_DIGESTS)
    encoding: Literal["hex", "base64"] = "hex"
    charset: Literal["utf-8", "latin-1", "cp1252", "utf-16-le"] = "utf-8"

    def verify(self, stored: str, password: str, salt: str) -> bool:
        """Compare. Raises UnsupportedHashError for what is no digest of this length."""
        expected = self._decoded(stored.strip())
        try:
            typed = password.encode(self.charset)
        except UnicodeEncodeError:
            return False
        if len(password) > _LONGEST_PASSWORD:
            return False
        return hmac.compare_digest(self._compute(typed, salt.encode()), expected)

    def _compute(self, typed: bytes, salt: bytes) -> bytes:
        pepper = self.pepper.get_secret_value().encode()
        places = {"before": b"", "after": b"", "hmac": b"", "none": b""}
        places[self.salt] += salt
        # A pepper at the salt's side stands outside of it.
        at = self.pepper_at
        places[at] = pepper + places[at] if at == "before" else places[at] + pepper
        data = places["before"] + typed + places["after"]
        keyed = "hmac" in {self.salt, at if pepper else ""}
        if keyed:
            digest = hmac.digest(places["hmac"], data, self.digest)
        else:
            digest = hashlib.new(self.digest, data, usedforsecurity=False).digest()
        for _ in range(self.rounds - 1):
            digest = hashlib.new(self.digest, digest, usedforsecurity=False).digest()
        return digest

    def _decoded(self, stored: str) -> bytes:
        try:
            by_hex = self.encoding == "hex"
            found = bytes.fromhex(stored) if by_hex else base64.b64decode(stored, validate=True)
        except (ValueError, binascii.Error):
            raise UnsupportedHashError(f"no {self.encoding}") from None
        if len(found) != hashlib.new(self.digest, usedforsecurity=False).digest_size:
            raise UnsupportedHashError(f"not as long as {self.digest}")
        return found
