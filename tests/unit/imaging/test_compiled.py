"""Kernels do without a place to keep themselves in, and say so."""

import subprocess
import sys
from pathlib import Path

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
