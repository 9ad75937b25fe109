"""API keys as text: `pk_ID_SECRET`, of which only the id and a hash of the secret are kept.

The secret has 256 random bits. Guessing it is hopeless whatever the hash, so one round of SHA-256
keeps it safe in a stolen database; slow, salted hashes protect what people choose themselves, and
would only make each call expensive here.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

_ID_BYTES = 8
_SECRET_BYTES = 32
_FORM = re.compile(rf"pk_([0-9a-f]{{{2 * _ID_BYTES}}})_([0-9a-f]{{{2 * _SECRET_BYTES}}})")

# What an unknown id's secret is compared with, so that it takes as long as a known one's.
_NO_HASH = bytes(hashlib.sha256().digest_size)


class KeyText(NamedTuple):
    """An API key as its owner holds it.

    Attributes:
        key_id: The public part.
        secret: The secret part.
    """

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"pk_{self.key_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"pk_{self.key_id}_…"


def new_key() -> KeyText:
    """Make a key that nobody can guess."""
    return KeyText(secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES))


def parse_key(text: str) -> KeyText | None:
    """Take a key apart; None if it does not have a key's form."""
    match = _FORM.fullmatch(text)
    return KeyText(*match.groups()) if match else None


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret(secret: str, kept: bytes | None) -> bool:
    """Compare a secret with what is kept of it, None for an unknown id, in constant time."""
    same = hmac.compare_digest(hash_secret(secret), kept or _NO_HASH)
    return same and kept is not None
