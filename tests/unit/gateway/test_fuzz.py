"""The fuzzing in short: some inputs of each kind, and all that ever found something."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from prometheus_client import CollectorRegistry

from gateway.admission import Admission, Limit
from gateway.admission.caller import Caller
from gateway.admission.priority import Priority
from gateway.config import GatewayConfig
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing
from gateway.rendering.deadline import Deadline
from gateway.rendering.render_call import RenderCall
from gateway.rendering.renderer import Renderer
from gateway.rendering.steps import Steps
from gateway.rendering.workers import PriorityWorkers
from gateway.rpc.status import status_code
from imaging.decode.decoder import ThreadDecoder
from imaging.errors import ReasonedError
from packshot.v1 import packshot_pb2 as pb
from tests.fuzz import mutations, targets
from tests.fuzz.requests import requests
from tests.support.fake_inference import FakeInferenceServer, client_of
from tests.support.files import FILES
from tests.support.pictures import encode, product_photo

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

PHOTO = encode(product_photo(64, 48), "JPEG")
BROAD = settings(deadline=None, suppress_health_check=list(HealthCheck))
FOUND = Path(__file__).parents[2] / "fuzz" / "found"


@pytest.mark.parametrize("name", FILES)
def test_files_changed_by_their_structure_give_a_photo_or_an_error(name: str) -> None:
    chance = random.Random(name)  # noqa: S311  to be repeated, not to be secret
    data = FILES[name]()
    assert b"".join(mutations.parts(data)) == data
    for _ in range(25):
        targets.decode(mutations.mutate(data, chance))


@settings(BROAD, max_examples=200)
@given(requests((b"", b"photo")))
def test_any_request_s_options_are_in_order_or_refused(request: pb.RenderRequest) -> None:
    targets.options(request.SerializeToString())


@settings(BROAD, max_examples=60)
@given(requests((PHOTO,)))
def test_a_render_by_any_options_ends_in_a_picture_or_an_error_of_the_caller_s(
    request: pb.RenderRequest,
) -> None:
    request.photo = PHOTO
    try:
        options = targets.READER.read(request)
    except ReasonedError:
        return
    workers = PriorityWorkers(1, "test")
    workers.start()
    admission = Admission(GatewayConfig().admission_limits, lambda _bound, _priority: None)
    call = RenderCall(Caller(None, "test"), Deadline.after(30))
    call.reservation = admission.admit("test", Priority.INTERACTIVE, len(PHOTO), 30)
    renderer = Renderer(
        client_of(FakeInferenceServer()),
        Steps(workers),
        ThreadDecoder(),
        targets.LIMITS,
        5.0,
        Metrics(CollectorRegistry()),
        Tracing("", 0, "test"),
    )
    try:
        packshot = asyncio.run(renderer.render(PHOTO, options, call))
    except ReasonedError as error:
        assert status_code(error) is not grpc.StatusCode.INTERNAL
    else:
        assert packshot.width_px * packshot.height_px <= targets.LIMITS.max_pixels
        # What the finished picture holds was reserved before the first pixel.
        held = admission.held(Limit.PIXELS, Priority.INTERACTIVE)
        assert packshot.width_px * packshot.height_px <= held
    finally:
        workers.shutdown()


def test_what_was_found_once_is_mended() -> None:
    for file in sorted(FOUND.glob("*-*")):
        target = targets.options if file.name.startswith("options") else targets.decode
        target(file.read_bytes())


@pytest.mark.parametrize("engine", ["structure", "requests", "options-by-coverage"])
def test_the_command_runs(engine: str, tmp_path: Path, root: Path) -> None:
    if engine.endswith("coverage"):
        pytest.importorskip("atheris", reason="atheris is not installed: group `fuzz`")
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", "100", "--engine", engine]
    done = subprocess.run(
        [*command, "--seed", "1", "--out", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "exit status 0" in done.stdout
