"""Whether the tests' Prometheus is there."""

import os
import shutil

import pytest


def need(program: str) -> str:
    """Return where `prometheus` or `promtool` is; skip, or fail in a strict run, if it is not."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed: Debian's package prometheus has it"
        if os.environ.get("PACKSHOT_TEST_STRICT"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
