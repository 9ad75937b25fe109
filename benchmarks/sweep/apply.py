"""Writes the best configuration into the model repository."""

import subprocess
from pathlib import Path

from google.protobuf import text_format

from benchmarks.configuration import Configuration
from benchmarks.errors import BenchmarkError
from export.triton_config import read_config


def check_can_apply(path: Path) -> None:
    """Check that writing a config.pbtxt loses nothing.

    Raises:
        BenchmarkError: It has changes that are not committed, is in no git repository, or is not
            written as Triton's own message prints, so that comments would be lost.
    """
    command = ["git", "-C", str(path.parent), "status", "--porcelain", "--ignored", "--", path.name]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{path} is in no git repository that could keep what it is now")
    if done.stdout.strip():
        raise BenchmarkError(
            f"{path} has changes that are not committed: commit or drop them first"
        )
    if text_format.MessageToString(read_config(path)) != path.read_text():
        raise BenchmarkError(
            f"{path} was edited by hand: comments or layout would be lost, so nothing is written"
        )


def apply(path: Path, configuration: Configuration) -> None:
    """Write a configuration into a config.pbtxt, leaving the rest as it is.

    Raises:
        BenchmarkError: Something would be lost.
    """
    check_can_apply(path)
    message = configuration.put_into(read_config(path))
    path.write_text(text_format.MessageToString(message))
