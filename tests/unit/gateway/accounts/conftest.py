import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from tests.support.accounts import Books, books_at


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_at(f"sqlite:///{tmp_path}/accounts.db") as books:
        yield books


@pytest.fixture
def config(config: GatewayConfig, books: Books) -> GatewayConfig:
    # Room for all callers of a race, however slowly their photos are received.
    return dataclasses.replace(config, accounts=books.url, max_in_flight=64, max_receiving=64)
