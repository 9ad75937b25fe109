"""Which provider runs a model instance, and how many threads."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from ort_config import BackendConfig, Tensor
from ort_gpu import GpuOptions
from ort_session import (
    Instance,
    ProviderError,
    Session,
    providers_for,
    read_graph,
    refuse_other_provider,
    thread_share,
)

from tests.integration import toy_models

CPU = Instance("toy_0", "CPU", 0)
GPU = Instance("toy_0", "GPU", 1)
CONFIG = BackendConfig(
    file_name="model.onnx",
    max_batch_size=4,
    inputs=(Tensor("photo", "TYPE_UINT8", (2, 3, 3)),),
    outputs=(Tensor("matte", "TYPE_UINT8", (2, 3, 3)),),
    graph_level=0,
    intra_op_threads=1,
    inter_op_threads=0,
    parallel=False,
    mem_arena=True,
    mem_pattern=False,
    arena_shrinkage="",
    device_initializers=False,
    cpu_instances=1,
    cpu_accelerator="",
    gpu=GpuOptions({}),
    whole_on_device=False,
)
OPENVINO = "OpenVINOExecutionProvider"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return toy_models.write_inverter(tmp_path) / "1" / "model.onnx"


def test_a_cpu_instance_never_gets_another_provider() -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers_for(CPU, available) == ["CPUExecutionProvider"]


def test_a_gpu_instance_gets_cuda_on_its_own_device() -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers_for(GPU, available) == [("CUDAExecutionProvider", {"device_id": "1"})]


def test_a_gpu_instance_is_refused_without_cuda_in_the_build() -> None:
    with pytest.raises(ProviderError, match="install onnxruntime-gpu"):
        providers_for(GPU, ["CPUExecutionProvider"])


def test_a_gpu_instance_is_refused_when_cuda_did_not_start() -> None:
    with pytest.raises(ProviderError, match="could not start CUDA on device 1"):
        refuse_other_provider(GPU, ["CPUExecutionProvider"])
    refuse_other_provider(GPU, ["CUDAExecutionProvider", "CPUExecutionProvider"])
    refuse_other_provider(CPU, ["CPUExecutionProvider"])


def test_a_cpu_instance_gets_openvino_in_full_precision_where_it_is_asked_for() -> None:
    available = [OPENVINO, "CPUExecutionProvider"]
    [(name, options)] = providers_for(CPU, available, cpu_accelerator="openvino", threads=3)
    assert name == OPENVINO
    assert options == {"device_type": "CPU", "precision": "FP32", "num_of_threads": "3"}
    assert providers_for(CPU, available) == ["CPUExecutionProvider"]


def test_the_cpus_accelerator_is_not_the_gpus_concern() -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    [(name, _)] = providers_for(GPU, available, cpu_accelerator="openvino")
    assert name == "CUDAExecutionProvider"
    refuse_other_provider(GPU, available, cpu_accelerator="openvino")


def test_openvino_is_refused_when_it_did_not_start() -> None:
    with pytest.raises(ProviderError, match="could not start it"):
        refuse_other_provider(CPU, ["CPUExecutionProvider"], cpu_accelerator="openvino")
    refuse_other_provider(CPU, [OPENVINO, "CPUExecutionProvider"], cpu_accelerator="openvino")


def test_openvino_is_refused_where_onnxruntime_lacks_it_with_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ProviderError, match=r"install onnxruntime-openvino .*serving-openvino"):
        Session(model, replace(CONFIG, cpu_accelerator="openvino"), CPU)


@pytest.mark.openvino
@pytest.mark.skipif(
    OPENVINO not in onnxruntime.get_available_providers(),
    reason="this onnxruntime has no OpenVINO: the group serving-openvino is not installed",
)
def test_a_session_runs_on_openvino(model: Path) -> None:
    session = Session(model, replace(CONFIG, cpu_accelerator="openvino"), CPU)
    assert OPENVINO in session.description
    photo = np.full((2, 2, 3, 3), 5, np.uint8)
    [matte] = session.run(["matte"], {"photo": photo})
    np.testing.assert_array_equal(matte, 255 - photo)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is CUDA here"
)
def test_a_session_on_the_gpu_is_refused_on_this_machine(model: Path) -> None:
    with pytest.raises(ProviderError, match="no CUDAExecutionProvider"):
        Session(model, CONFIG, GPU)


@pytest.mark.parametrize(
    ("configured", "instances", "threads"), [(3, 2, 3), (0, 1, 8), (0, 2, 4), (0, 3, 2), (0, 20, 1)]
)
def test_instances_share_the_cores_unless_configured(
    configured: int, instances: int, threads: int
) -> None:
    config = replace(CONFIG, intra_op_threads=configured, cpu_instances=instances)
    assert thread_share(config, CPU, cores=8) == threads


def test_a_gpu_instance_leaves_its_threads_to_onnxruntime() -> None:
    assert thread_share(replace(CONFIG, intra_op_threads=0), GPU, cores=8) == 0


@pytest.mark.parametrize("level", [-1, 0, 1, 2])
def test_a_session_runs_at_every_graph_level(model: Path, level: int) -> None:
    session = Session(model, replace(CONFIG, graph_level=level), CPU)
    photo = np.full((2, 2, 3, 3), 5, np.uint8)
    [matte] = session.run(["matte"], {"photo": photo})
    np.testing.assert_array_equal(matte, 255 - photo)


def test_the_less_common_settings_are_accepted_by_onnxruntime(model: Path) -> None:
    config = replace(
        CONFIG,
        parallel=True,
        inter_op_threads=2,
        mem_arena=True,
        mem_pattern=True,
        arena_shrinkage="cpu:0",
        device_initializers=True,
    )
    [matte] = Session(model, config, CPU).run(
        ["matte"], {"photo": np.zeros((1, 2, 3, 3), np.uint8)}
    )
    assert (matte == 255).all()


def test_a_file_tells_names_types_and_open_dimensions(model: Path) -> None:
    graph = read_graph(model)
    assert graph.inputs == (Tensor("photo", "TYPE_UINT8", (-1, 2, 3, 3)),)
    assert graph.outputs == (Tensor("matte", "TYPE_UINT8", (-1, 2, 3, 3)),)


def test_threads_rest_after_a_pass(root: Path) -> None:
    """Processor time, not the clock's: threads that spin would use most of it."""
    model = root / "model_repository/matte/1/model.onnx"
    config = replace(
        CONFIG,
        inputs=(Tensor("photo", "TYPE_UINT8", (320, 320, 3)),),
        outputs=(Tensor("matte", "TYPE_UINT8", (320, 320, 1)),),
        intra_op_threads=2,
    )
    session = Session(model, config, CPU)
    session.run(["matte"], {"photo": np.zeros((1, 320, 320, 3), np.uint8)})
    before_s = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before_s < 0.01
