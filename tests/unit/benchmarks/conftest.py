"""Runs benchmarks' commands in the test's own process: each start of Python would cost seconds."""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMANDS = importlib.import_module("benchmarks.__main__").COMMANDS


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `python -m benchmarks NAME ARGUMENT…`."""

    def run(name: str, *arguments: str | Path) -> Done:
        module = importlib.import_module(COMMANDS[name][0])
        parser = argparse.ArgumentParser()
        module.add_arguments(parser, {})
        refusal = ""
        try:
            module.run(parser.parse_args([str(each) for each in arguments]), {})
        except SystemExit as exc:
            refusal = str(exc)
        said = capsys.readouterr()
        return Done(1 if refusal else 0, said.out, said.err + refusal)

    return run


@pytest.fixture(autouse=True)
def _one_torch_thread() -> Iterator[None]:
    """Let torch compute on one thread: several wait for each other actively on a busy machine."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
