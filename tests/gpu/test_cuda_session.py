"""The backend's session on a real GPU: its provider, its answers, its ways of tensors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from ort_batches import BatchRunner, Work
from ort_config import BackendConfig, parse
from ort_memory import CudaMemory, DeviceTensor
from ort_session import Instance, Session

from benchmarks.gpu_serving.tables import read_photos

GPU = Instance("matte-fp16_0", "GPU", 0)
WAYS = [
    {},
    {"gpu_batch_sizes": "1,4,16"},
    {"gpu_tensor_transfer": "bound"},
    {"gpu_tensor_transfer": "pinned", "gpu_batch_sizes": "1,4,16"},
]


def configured(parameters: dict[str, str], cuda: dict[str, str] | None = None) -> BackendConfig:
    asked = [{"name": "cuda", "parameters": cuda}] if cuda else []
    config = {
        "name": "matte-fp16",
        "max_batch_size": 16,
        "input": [{"name": "photo", "data_type": "TYPE_UINT8", "dims": [320, 320, 3]}],
        "output": [{"name": "matte", "data_type": "TYPE_UINT8", "dims": [320, 320, 1]}],
        "parameters": {key: {"string_value": value} for key, value in parameters.items()},
        "optimization": {"execution_accelerators": {"gpu_execution_accelerator": asked}},
    }
    return parse(json.dumps(config))


def runner_of(session: Session) -> BatchRunner:
    return BatchRunner(
        session.run, 16, takes_parts=session.takes_parts, overwrites=session.overwrites
    )


@pytest.fixture(scope="module")
def photos(root: Path) -> np.ndarray:
    return read_photos(root / "samples")


@pytest.fixture(scope="module")
def expected(root: Path, photos: np.ndarray) -> np.ndarray:
    network = root / "model_repository/matte/1/model.onnx"
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    (mattes,) = session.run(["matte"], {"photo": photos})
    return np.asarray(mattes).astype(int)


@pytest.mark.parametrize("parameters", WAYS, ids=str)
def test_answers_are_the_cpus_within_two_levels(
    root: Path, photos: np.ndarray, expected: np.ndarray, parameters: dict[str, str]
) -> None:
    network = root / "model_repository/matte/1/model.onnx"
    # By default convolutions of 32-bit numbers round them to 19 bits.
    session = Session(network, configured(parameters, {"use_tf32": "0"}), GPU)
    assert "CUDAExecutionProvider" in session.description
    works = [Work({"photo": photo[None]}, ("matte",)) for photo in photos]
    for given, result in zip(expected, runner_of(session).run(works), strict=True):
        assert isinstance(result, dict), result
        assert np.abs(result["matte"][0].astype(int) - given).max() <= 2


def test_half_precision_moves_few_pixels_by_more_than_two_levels(
    network: Path, photos: np.ndarray, expected: np.ndarray
) -> None:
    session = Session(network, configured({}), GPU)
    apart = np.abs(session.run(["matte"], {"photo": photos})[0].astype(int) - expected)
    assert apart.mean() < 0.2
    assert (apart <= 2).mean() > 0.99


def test_a_graph_of_each_batch_size_gives_the_same_answers(
    network: Path, photos: np.ndarray
) -> None:
    sizes = {"gpu_tensor_transfer": "pinned", "gpu_batch_sizes": "1,4,16"}
    plain = Session(network, configured(sizes), GPU)
    graphs = Session(network, configured(sizes, {"enable_cuda_graph": "1"}), GPU)
    for batch in (1, 3, 5, 1, 4):
        given = {"photo": np.resize(photos, (batch, *photos.shape[1:]))}
        wanted = plain.run(["matte"], given)[0].astype(int)
        for _ in range(2):
            assert np.abs(graphs.run(["matte"], given)[0].astype(int) - wanted).max() <= 1


def test_the_whole_network_runs_on_the_gpu(network: Path, photos: np.ndarray) -> None:
    session = Session(network, configured({"session.disable_cpu_ep_fallback": "1"}), GPU)
    assert session.run(["matte"], {"photo": photos[:1]})[0].shape == (1, 320, 320, 1)


def test_a_tensor_that_lies_on_the_gpu_is_taken_from_there(
    network: Path, photos: np.ndarray
) -> None:
    parameters = {"gpu_tensor_transfer": "pinned", "FORCE_CPU_ONLY_INPUT_TENSORS": "no"}
    session = Session(network, configured(parameters), GPU)
    memory, photo = CudaMemory(0), photos[:1].copy()
    address = memory.on_device(photo.nbytes)
    memory.copy(address, photo.ctypes.data, photo.nbytes)
    memory.settle()
    there = DeviceTensor(address, photo.shape, photo.dtype, None)
    both = session.run(["matte"], {"photo": [there, photo]})[0]
    np.testing.assert_array_equal(both[0], both[1])


def test_without_a_visible_gpu_the_load_fails_and_says_so(network: Path, root: Path) -> None:
    program = (
        "import json, sys; from pathlib import Path; from ort_session import Instance, Session; "
        "from tests.gpu.test_cuda_session import configured; "
        "Session(Path(sys.argv[1]), configured({}), Instance('matte-fp16_0', 'GPU', 0))"
    )
    paths = [root, root / "client", root / "serving/backends/onnxruntime"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(network)],
        cwd=root,
        env={
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "CUDA" in done.stderr.splitlines()[-1]
