"""docs/architecture.md against the code: its table is the way that a photo really goes."""

import ast
import asyncio
import dataclasses
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from packshot import AsyncClient
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

_ROOT = Path(__file__).resolve().parents[3]
_ROW = re.compile(r"^\| `([\w/]+\.py)` (`\*` )?\| `([\w.]+)` \|", re.MULTILINE)
_MOST_FILES = 25


def _rows() -> list[tuple[str, str, bool]]:
    text = (_ROOT / "docs/architecture.md").read_text()
    table = text[text.index("## The way of one photo") :]
    return [(file, name, bool(seam)) for file, seam, name in _ROW.findall(table)]


def _defined(file: str) -> Iterator[str]:
    for node in ast.parse((_ROOT / file).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{each.name}"


def test_every_function_of_the_way_exists_and_the_files_are_few() -> None:
    rows = _rows()
    assert len(rows) > 20
    assert len({file for file, _, _ in rows}) <= _MOST_FILES
    missing = [(file, name) for file, name, _ in rows if name not in set(_defined(file))]
    assert not missing


class _FirstCalls:
    """Notes each function of the two packages once, in the order of their first calls."""

    def __init__(self) -> None:
        self.order: dict[tuple[str, str], None] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(str(_ROOT)) and "/.venv/" not in code.co_filename:
            file = code.co_filename.removeprefix(f"{_ROOT}/")
            self.order.setdefault((file, code.co_qualname))


@pytest.fixture
def first_calls() -> Iterator[_FirstCalls]:
    calls = _FirstCalls()
    before = sys.getprofile()
    if sys.version_info >= (3, 12):
        threading.setprofile_all_threads(calls)
    threading.setprofile(calls)
    sys.setprofile(calls)
    yield calls
    sys.setprofile(before)
    threading.setprofile(None)


@pytest.fixture
def config(config: GatewayConfig) -> GatewayConfig:
    # The probes of the model use some of the same functions: none may come meanwhile.
    return dataclasses.replace(config, probe_interval_s=60)


async def test_a_photo_goes_the_way_of_the_table(
    first_calls: _FirstCalls, gateway: Gateway, inference: FakeInferenceServer
) -> None:
    async with asyncio.timeout(10):
        while not inference.seen:
            await asyncio.sleep(0.01)
    first_calls.order.clear()
    async with AsyncClient(f"127.0.0.1:{gateway.port}") as client:
        await client.render(encode(product_photo(), "JPEG"))
    seen = list(first_calls.order)
    walked = [(file, name) for file, name, behind_seam in _rows() if not behind_seam]
    assert [each for each in walked if each not in seen] == []
    assert sorted(walked, key=seen.index) == walked
