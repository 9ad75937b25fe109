"""Freed memory goes back to the kernel, whatever was freed before."""

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_blocks_that_are_freed_leave_the_process(root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE], cwd=root, capture_output=True, text=True, check=True
    )
    held_mb, kept_mb = map(int, run.stdout.split())
    assert held_mb >= 78
    assert kept_mb < 8
