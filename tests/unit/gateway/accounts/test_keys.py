"""A key's form, what is kept of it, and how it is compared."""

import pytest

from gateway.accounts.keys import hash_secret, is_secret, new_key, parse_key


def test_a_key_reads_back_and_its_secret_has_256_bits() -> None:
    key = new_key()
    assert parse_key(str(key)) == key
    assert len(bytes.fromhex(key.secret)) * 8 == 256
    assert new_key() != key


def test_only_the_hash_tells_a_secret() -> None:
    key, other = new_key(), new_key()
    kept = hash_secret(key.secret)
    assert key.secret.encode() not in kept
    assert bytes.fromhex(key.secret) not in kept
    assert is_secret(key.secret, kept)
    assert not is_secret(other.secret, kept)
    assert not is_secret(key.secret, None)


def test_a_key_s_secret_is_not_in_its_repr() -> None:
    key = new_key()
    assert key.secret not in repr(key)
    assert key.secret not in repr([key])


@pytest.mark.parametrize(
    "text",
    ["", "pk", "pk__", "pk_1_2", "sk" + str(new_key())[2:], str(new_key()) + "0", "pk_\u0661_2"],
    ids=["empty", "prefix", "bars", "short", "other prefix", "longer", "other digits"],
)
def test_what_has_not_a_key_s_form_is_none(text: str) -> None:
    assert parse_key(text) is None
