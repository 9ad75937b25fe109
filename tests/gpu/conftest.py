"""What every test on a GPU needs: the GPU, and onnxruntime with CUDA."""

from pathlib import Path

import pytest

from serving.host import has_nvidia_gpu


@pytest.fixture(autouse=True, scope="session")
def gpu() -> None:
    """Skip where there is no GPU, and say what is missing."""
    if not has_nvidia_gpu():
        pytest.skip("the driver shows no NVIDIA GPU (/dev/nvidia0)")
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no CUDA: the group serving-gpu is not installed")


@pytest.fixture(scope="session")
def network(root: Path) -> Path:
    return root / "model_repository/matte-fp16/1/model.onnx"
