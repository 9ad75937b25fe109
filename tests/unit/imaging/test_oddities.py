"""Pillow's warnings in the log: there, but never a flood."""

import logging
import warnings
from collections.abc import Iterator

import pytest

import imaging.decode.pillow_warnings as oddities
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from tests.support.claims import BYTES, claiming_tiff
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, clock: Clock) -> Iterator[pytest.LogCaptureFixture]:
    logger = logging.getLogger("py.warnings")
    before = list(logger.filters)
    with warnings.catch_warnings():
        oddities.log_oddities(clock)
        yield caplog
    logging.captureWarnings(capture=False)
    logger.filters[:] = before


def test_a_file_of_hundreds_of_oddities_makes_one_line_and_the_next_one_counts_them(
    logged: pytest.LogCaptureFixture, clock: Clock
) -> None:
    odd = [(40_000 + tag, BYTES, 10_000_000, 8) for tag in range(300)]
    assert decode_photo(claiming_tiff(20, 50, *odd), PhotoLimits()).rgb.shape == (50, 20, 3)
    (first,) = logged.messages
    assert "Tag data larger than file" in first
    clock.now_s += 2
    decode_photo(claiming_tiff(20, 50, *odd), PhotoLimits())
    _, second = logged.messages
    assert second.startswith("(299 more before)")
