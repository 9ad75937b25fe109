"""Pillow's warnings in the log: there, but never a flood."""

import logging
import warnings
from collections.abc import Iterator

import pytest

from gateway import oddities
from gateway.pipeline.decode import decode_photo
from gateway.pipeline.limits import PhotoLimits
from tests.support.claims import BYTES, claiming_tiff


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    logger = logging.getLogger("py.warnings")
    before = list(logger.filters)
    with warnings.catch_warnings():
        oddities.log_oddities()
        yield caplog
    logging.captureWarnings(capture=False)
    logger.filters[:] = before


def test_a_file_of_hundreds_of_oddities_makes_one_line_and_the_next_one_counts_them(
    logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = 1000.0
    monkeypatch.setattr("gateway.oddities.time.monotonic", lambda: clock_s)
    odd = [(40_000 + tag, BYTES, 10_000_000, 8) for tag in range(300)]
    assert decode_photo(claiming_tiff(20, 50, *odd), PhotoLimits()).rgb.shape == (50, 20, 3)
    (first,) = logged.messages
    assert "Tag data larger than file" in first
    clock_s += 2
    decode_photo(claiming_tiff(20, 50, *odd), PhotoLimits())
    _, second = logged.messages
    assert second.startswith("(299 more before)")
