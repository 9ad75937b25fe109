"""Freed memory is kept for the next photo, up to a limit; the rest goes back to the kernel."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

_MEASURE = """
import resource, sys, time
import psutil
from gateway.memory import MOST_KEPT_BYTES, limit_allocator
limit_allocator()
def resident():
    return psutil.Process().memory_info().rss
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def hold(count, pins):
    blocks = []
    for _ in range(count):
        blocks.append(b"x" * (12 << 20))
        pins.append(b"x" * 5000)  # keeps the heap from shrinking
    return blocks
pins = []
hold(4, [])
before_again = faults()
hold(4, [])
again = faults() - before_again
before = resident()
blocks = hold(12 + 2 * MOST_KEPT_BYTES // (12 << 20), pins)
held = resident() - before
del blocks
end_s = time.monotonic() + 30
while resident() - before > 40 << 20 and time.monotonic() < end_s:
    time.sleep(0.1)
print(again, held >> 20, (resident() - before) >> 20)
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


def test_freed_blocks_are_used_again_and_leave_the_process_where_they_are_many(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE], cwd=root, capture_output=True, text=True, check=True
    )
    page_faults, held_mb, kept_mb = map(int, run.stdout.split())
    # Four blocks of 12 MiB have 12288 pages.
    assert page_faults < 1000
    assert held_mb >= 180
    assert kept_mb < 40


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
