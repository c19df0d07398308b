"""The C library's crypt(), which computes what no package for Python does."""

import ctypes
from functools import lru_cache
from typing import Any

from idp.legacy.hashes.costs import UnsupportedHashError

_LIBRARY = "libcrypt.so.1"
_SCRATCH = 131_072
"""Bytes that crypt_r may want; libxcrypt's `struct crypt_data` has 32768."""


def crypt(typed: bytes, setting: str) -> str:
    """What crypt_r makes of a password under a setting. Raises UnsupportedHashError where the library or the
    scheme is not there."""
    if b"\0" in typed:
        return ""
    scratch = ctypes.create_string_buffer(_SCRATCH)
    made = _crypt_r()(typed, setting.encode(), scratch)
    if made is None or made.startswith(b"*"):
        raise UnsupportedHashError("the C library of this machine cannot compute it")
    return bytes(made).decode("ascii")


@lru_cache
def _crypt_r() -> Any:
    try:
        function = ctypes.CDLL(_LIBRARY).crypt_r
    except (OSError, AttributeError):
        raise UnsupportedHashError(f"yescrypt needs {_LIBRARY}") from None
    function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    function.restype = ctypes.c_char_p
    return function
