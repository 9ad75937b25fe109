"""Triton's queue as `export.triton_config` sets it up, seen through the gateway's seam."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import InferInput, model_config_pb2
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from export.triton_config import MatteModelConfig
from gateway.admission.priority import Priority
from gateway.errors import DeadlineError
from gateway.inference.server import MattingModel
from gateway.inference.triton import TritonInferenceServer
from imaging.errors import OverloadedError
from tests.integration import toy_models
from tests.integration.processes import Triton, launch_triton

pytestmark = pytest.mark.integration

MODEL = MattingModel("slow", "1", 3, 2)
# Black: what the slow model multiplies stays finite.
PHOTO = np.zeros((1, 2, 3, 3), np.uint8)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    folder = tmp_path_factory.mktemp("queue")
    queue = MatteModelConfig("slow", 3, max_queue_size=8).message().dynamic_batching
    config = text_format.MessageToString(
        model_config_pb2.ModelConfig(max_batch_size=1, dynamic_batching=queue)
    )
    toy_models.write_slow_matting(folder, config + toy_models.ONE_INSTANCE)
    started = launch_triton(folder, folder.parent / "serving.log", models=("slow",))
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


async def asked_without_a_deadline(server: Triton, timeout_us: int) -> None:
    """Ask with a time for Triton's queue alone, which gRPC knows nothing of."""
    photo = InferInput("photo", list(PHOTO.shape), "UINT8")
    photo.set_data_from_numpy(PHOTO)
    async with InferenceServerClient(server.grpc_address) as client:
        await client.infer("slow", [photo], timeout=timeout_us)


@pytest.fixture
async def inference(server: Triton) -> AsyncIterator[TritonInferenceServer]:
    inference = TritonInferenceServer(server.grpc_address)
    await inference.infer(MODEL, PHOTO, 30)
    yield inference
    await inference.close()


async def test_interactive_work_goes_before_bulk_work_that_came_earlier(
    inference: TritonInferenceServer,
) -> None:
    order: list[Priority] = []

    async def ask(priority: Priority) -> None:
        await inference.infer(MODEL, PHOTO, 30, priority)
        order.append(priority)

    bulk = [asyncio.create_task(ask(Priority.BULK)) for _ in range(4)]
    await asyncio.sleep(0.02)
    await asyncio.gather(*bulk, *(ask(Priority.INTERACTIVE) for _ in range(3)))
    # One or two bulk requests were running or on the way already.
    assert order.index(Priority.INTERACTIVE) <= 2
    assert order[-2:] == [Priority.BULK, Priority.BULK]


async def test_a_full_queue_of_triton_s_is_an_overload(inference: TritonInferenceServer) -> None:
    answers = await asyncio.gather(
        *(inference.infer(MODEL, PHOTO, 30, Priority.BULK) for _ in range(16)),
        return_exceptions=True,
    )
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    assert errors
    assert {type(error) for error in errors} == {OverloadedError}
    assert len(errors) < len(answers)


async def test_what_waits_past_its_time_in_triton_s_queue_is_late_and_never_runs(
    inference: TritonInferenceServer, server: Triton
) -> None:
    before, _ = server.statistics("slow")
    ahead = [asyncio.create_task(inference.infer(MODEL, PHOTO, 30)) for _ in range(6)]
    await asyncio.sleep(0.02)
    with pytest.raises(DeadlineError):
        await inference.infer(MODEL, PHOTO, 0.05)
    with pytest.raises(InferenceServerException, match="Request timeout expired"):
        await asked_without_a_deadline(server, timeout_us=50_000)
    await asyncio.gather(*ahead)
    # It comes after the late ones, which would have run before it.
    await inference.infer(MODEL, PHOTO, 30)

    def counted() -> int:
        return server.statistics("slow")[0] - before

    # Triton counts an inference a moment after it has answered it.
    server.process.wait_until(lambda: counted() > len(ahead), timeout_s=10)
    assert counted() == len(ahead) + 1
