"""What is computed at most: an imported table must not be able to stop this service."""


class UnsupportedHashError(Exception):
    """A hash of an unknown kind, malformed, or too expensive to compute; the text names no secret."""


MOST_BCRYPT = 14
"""Binary logarithm of the rounds: about a second."""
MOST_PHPASS = 18
"""Likewise, of MD5 or SHA-512."""
MOST_SHA_CRYPT = 1_000_000
MOST_PBKDF2 = 2_000_000
MOST_DIGESTS = 2_000_000
"""Rounds of a plain digest."""
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes, for scrypt and yescrypt."""
MOST_SCRYPT_WORK = 1 << 24
"""N times r times p."""
MOST_ARGON2_WORK, MOST_ARGON2_PASSES, MOST_ARGON2_LANES = 1_048_576, 20, 16
"""Work is KiB times passes."""


def check(cost: int, most: int) -> None:
    """Raises UnsupportedHashError for what costs more than the most; ValueError for what costs nothing."""
    if cost < 1:
        raise ValueError("no cost")
    if cost > most:
        raise UnsupportedHashError("hash too expensive to compute")


def check_scrypt(n: int, r: int, p: int) -> None:
    """As `check`, for scrypt's three parameters."""
    if min(n, r, p) < 1:
        raise ValueError("no cost")
    check(128 * n * r, MOST_MEMORY)
    check(n * r * p, MOST_SCRYPT_WORK)
