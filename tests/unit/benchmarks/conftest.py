"""Runs benchmarks' commands in the test's own process: each start of Python would cost seconds."""

import argparse
import importlib
from collections.abc import Callable
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
