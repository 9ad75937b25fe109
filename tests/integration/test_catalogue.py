"""A catalogue's job on Ray, before the real Triton and gateway: killed, and over object storage."""

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from catalogue.cli import main
from catalogue.orders import Connection
from catalogue.places import Place
from catalogue.results import Results
from tests.catalogue_drill.drill import hold
from tests.catalogue_drill.photos import make_photos
from tests.catalogue_drill.run import Kill
from tests.catalogue_drill.stack import Stack, running

pytestmark = pytest.mark.timeout(600)
PHOTOS = 40


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def photos(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    make_photos(folder, PHOTOS, sorted((root / "samples").glob("*.jpg")), 256)
    return folder


def test_a_job_that_is_killed_ends_as_one_that_is_not(
    stack: Stack, photos: Path, tmp_path: Path
) -> None:
    kills = [
        Kill(0.1, "worker"),
        Kill(0.3, "driver"),
        Kill(0.5, "Triton", stack.kill_triton),
        Kill(0.7, "gateway", stack.kill_gateway),
    ]
    plain = hold(stack, photos, PHOTOS, tmp_path / "plain", [], 4)
    killed = hold(stack, photos, PHOTOS, tmp_path / "killed", kills, 4)
    print(f"undisturbed: {plain}\nkilled: {killed}")
    assert plain.state.differences(killed.state) == []
    assert (plain.spent, plain.held) == (killed.spent, killed.held) == (PHOTOS - 1, 0)
    assert Counter(killed.run.kills) == {"worker": 1, "driver": 1, "Triton": 1, "gateway": 1}
