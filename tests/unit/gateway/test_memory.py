"""Freed memory goes back to the kernel, but for what a decode worker keeps for the next photo."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

_MEASURE = """
import psutil
from gateway.memory import limit_allocator
limit_allocator()
def resident():
    return psutil.Process().memory_info().rss
before = resident()
large = b"x" * (24 << 20)
del large  # from here on glibc, left alone, would keep blocks of up to 24 MB
blocks, pins = [], []
for _ in range(20):
    blocks.append(b"x" * (4 << 20))
    pins.append(b"x" * 5000)  # keeps the heap from shrinking
held = resident() - before
del blocks
print(held >> 20, (resident() - before) >> 20)
"""

_DECODE = """
import io, resource
import psutil
from PIL import Image
from gateway.memory import keep_some_memory
from imaging.decode.photo import decode_photo
from imaging.decode.limits import PhotoLimits
keep_some_memory()
def faults(megapixels):
    file = io.BytesIO()
    Image.new("RGB", (1000 * megapixels, 1000)).save(file, "JPEG")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    decode_photo(file.getvalue(), PhotoLimits())
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(1)
before = psutil.Process().memory_info().rss
faults(30)
kept = psutil.Process().memory_info().rss - before
faults(4)
print(faults(4), kept >> 20)
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library is not glibc"
)


def test_blocks_that_are_freed_leave_the_process(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE], cwd=root, capture_output=True, text=True, check=True
    )
    held_mb, kept_mb = map(int, run.stdout.split())
    assert held_mb >= 78
    assert kept_mb < 8


def test_a_decode_worker_uses_its_memory_again_but_does_not_keep_a_large_photo_s(
    root: Path,
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _DECODE], cwd=root, capture_output=True, text=True, check=True
    )
    page_faults, kept_mb = map(int, run.stdout.split())
    # Four megapixels take 12 MB of pixels alone, 3000 pages.
    assert page_faults < 1000
    assert kept_mb <= 100
