"""The measures of agreement on cases that can be worked out by hand."""

import sys
from dataclasses import astuple

import numpy as np
import pytest

sod = pytest.importorskip("py_sod_metrics", reason="the group measures is not installed")

from export.errors import PackageError  # noqa: E402
from export.measures import (  # noqa: E402
    Agreement,
    FullAgreement,
    agreement,
    boundary_iou,
    full_agreement,
    mean_agreement,
)

SIDE = 100  # a boundary of 3 pixels: 2 % of a diagonal of 141


def square(top: int = 30, left: int = 30, edge: int = 40) -> np.ndarray:
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[top : top + edge, left : left + edge] = 1
    return matte


def test_the_cheap_pair_is_one_for_equals_and_none_for_opposites() -> None:
    half = np.zeros((4, 4), np.float32)
    half[:2] = 1
    assert agreement(half, half) == agreement(half * 0, half * 0) == Agreement(1.0, 0.0)
    assert agreement(1 - half, half) == Agreement(0.0, 1.0)
    quarter = half.copy()
    quarter[1] = 0
    assert agreement(quarter, half) == Agreement(0.5, 0.25)


def test_the_cheap_pair_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_sod_metrics", None)
    assert agreement(square(), square()) == Agreement(1.0, 0.0)
    with pytest.raises(PackageError, match="pysodmetrics"):
        full_agreement(square(), square())


def test_a_perfect_matte_is_perfect_by_all_measures() -> None:
    seen = full_agreement(square(), square())
    assert (seen.iou, seen.mae, seen.boundary_iou) == (1.0, 0.0, 1.0)
    assert seen.s_measure == pytest.approx(1.0)
    assert seen.weighted_f == pytest.approx(1.0)
    assert seen.e_measure == pytest.approx(0.997, abs=5e-4)  # one threshold calls all foreground


def test_an_inverted_matte_is_bad_by_all_measures() -> None:
    seen = full_agreement(1 - square(), square())
    assert (seen.iou, seen.mae, seen.boundary_iou) == (0.0, 1.0, 0.0)
    assert seen.s_measure < 0.05
    assert seen.weighted_f < 0.05
    assert seen.e_measure < 0.05


def test_boundaries_of_shifted_squares_overlap_as_counted_by_hand() -> None:
    # Rings of 40 squared less 34 squared pixels. A shift by 1 leaves both their outlines 39 wide;
    # of those, outside one inner part or the other: 39 * 40 - (2 * 34 * 34 - 33 * 34).
    ring = 40**2 - 34**2
    both = 39 * 40 - (2 * 34**2 - 33 * 34)
    assert boundary_iou(square(left=31), square()) == pytest.approx(both / (2 * ring - both))
    assert boundary_iou(square(left=80, edge=15), square()) == 0.0


def test_a_boundary_forgives_nothing_that_a_large_area_does() -> None:
    smaller = square(32, 32, 36)
    assert boundary_iou(smaller, square()) < 0.4 < agreement(smaller, square()).iou


def test_the_pictures_border_is_a_boundary() -> None:
    full = np.ones((SIDE, SIDE), np.float32)
    inner = square(3, 3, SIDE - 6)
    assert boundary_iou(full, full) == 1.0
    assert boundary_iou(inner, full) == 0.0  # its ring lies inside the other's


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_plain_references_are_judged_without_nan(level: float) -> None:
    reference = np.full((SIDE, SIDE), level, np.float32)
    right, wrong = (full_agreement(one, reference) for one in (reference, 1 - reference))
    assert (right.iou, right.mae, right.boundary_iou) == (1.0, 0.0, 1.0)
    assert (right.s_measure, right.weighted_f) == pytest.approx((1.0, 1.0))
    assert right.e_measure == pytest.approx(1.0, abs=0.005)
    assert wrong.mae == 1.0
    rest = wrong.iou, wrong.boundary_iou, wrong.s_measure, wrong.e_measure
    assert rest == pytest.approx((0.0, 0.0, 0.0, 0.0), abs=0.005)
    assert 0 <= wrong.weighted_f < 0.1  # it takes errors near the picture's border for smaller


@pytest.mark.parametrize("turns", range(4))
def test_a_product_along_one_border_is_judged_without_nan(turns: int) -> None:
    reference = np.zeros((SIDE, SIDE), np.float32)
    reference[-1, 20:60] = 1
    reference = np.rot90(reference, turns)
    seen = full_agreement(reference, reference)
    assert np.isfinite(astuple(seen)).all()
    assert seen.s_measure == pytest.approx(1.0)


def test_our_error_is_the_librarys() -> None:
    matte = np.random.default_rng(0).random((SIDE, SIDE))
    library = sod.MAE()
    library.step(matte, square() >= 0.5, normalize=False)
    assert full_agreement(matte, square()).mae == pytest.approx(library.get_results()["mae"])


def test_a_faint_matte_is_not_stretched() -> None:
    faint = full_agreement(square() * 0.1, square())
    assert faint.weighted_f < 0.5
    assert faint.s_measure < 0.75


def test_means_are_taken_measure_by_measure() -> None:
    good, bad = FullAgreement(1, 0, 1, 1, 1, 1), FullAgreement(0, 1, 0.5, 0, 0.5, 0)
    assert mean_agreement([good, bad]) == FullAgreement(0.5, 0.5, 0.75, 0.5, 0.75, 0.5)
    with pytest.raises(ValueError, match="no pictures"):
        mean_agreement([])
