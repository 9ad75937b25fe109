"""Kernels do without a place to keep themselves in, and say so; an image brings them along."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_WITHOUT_A_PLACE = """
import logging, tempfile
logging.basicConfig(format="%(message)s")
def refuse(*_, **__):
    raise PermissionError("a read-only file system")
tempfile.TemporaryFile = refuse  # by which Numba tries a folder
import numpy as np
from imaging.types import Color
from imaging.compose.blend import composite_over
black, half = np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 128, np.uint8)
half = composite_over(black, half, Color(255, 255, 255))
print(half.ravel().tolist())
"""


def test_without_a_folder_to_write_to_kernels_are_compiled_at_every_start(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_A_PLACE],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[127, 127, 127]"
    assert "composite_onto is compiled anew at every start: cannot cache function" in run.stderr


_HITS = """
import logging
logging.basicConfig(format="%(message)s")
from imaging.compose import blend
from imaging.matting import foreground, guided
from numba.core.dispatcher import Dispatcher
kernels = [
    kernel
    for module in (blend, foreground, guided)
    for kernel in vars(module).values()
    if isinstance(kernel, Dispatcher) and kernel.signatures
]
print(sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels), len(kernels))
"""


def _hits(folder: Path, cache: Path) -> tuple[int, int, str]:
    run = subprocess.run(
        [sys.executable, "-c", _HITS],
        cwd=folder,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "NUMBA_CPU_NAME": "generic"},
        capture_output=True,
        text=True,
        check=True,
    )
    hits, kernels = map(int, run.stdout.split())
    return hits, kernels, run.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that holds `imaging` with its kernels, as an image does."""
    folder = tmp_path_factory.mktemp("image")
    # Its own kernels alone: none that a test has left beside the code.
    shutil.copytree("imaging", folder / "imaging", ignore=shutil.ignore_patterns("__pycache__"))
    hits, kernels, said = _hits(folder, folder / "imaging" / "kernels")
    assert (hits, said) == (0, "")
    assert kernels >= 3
    return folder


def test_kernels_that_a_build_compiled_serve_from_an_empty_cache(
    image: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    # A first start with an empty volume, and one with what the first has left.
    for _ in range(2):
        hits, kernels, said = _hits(image, cache)
        assert hits == kernels >= 3
        assert said == ""
    # A volume that an older build has left is replaced.
    for index in cache.rglob("*.nbi"):
        index.write_bytes(b"of another version")
        os.utime(index, (0, 0))
    hits, kernels, said = _hits(image, cache)
    assert hits == kernels >= 3


def test_a_cache_that_cannot_be_made_is_said_and_costs_a_compilation(
    image: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("a file, where a folder is wanted")
    hits, kernels, said = _hits(image, in_the_way)
    assert hits == 0
    assert kernels >= 3
    assert f"compiled kernels cannot be laid out in {in_the_way}" in said
