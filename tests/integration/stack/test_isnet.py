"""A large, slow network beside the default: IS-Net's public weights on the real stack."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the models group (onnx) is not installed")

from export.isnet import Form, build_isnet
from export.precision.names import Precision
from export.triton_config import Kind
from packshot import Client
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT
from tests.integration.stack.conftest import launch_gateway


def test_a_request_names_isnet_and_its_card_tells_the_terms(
    published_isnet: Path,
    start_triton: StartTriton,
    samples: list[Path],
    tmp_path: Path,
) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "model_repository" / "matte-int8", models / "matte-int8")
    form = Form(512, Precision.INT8, Kind.CPU, 1)
    build_isnet(published_isnet, models, ROOT / "samples", form, "isnet")
    environ = {"PACKSHOT_DEFAULT_MODEL": "matte-int8"}
    gateway = launch_gateway(start_triton(models), tmp_path / "gateway.log", environ)
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        with Client(gateway.target, timeout_s=120, retries=False) as client:
            (model,) = (model for model in client.models() if model.name == "isnet")
            assert model.card is not None
            assert model.card.licence == "none of the weights' own"
            for sample in samples:
                shot = client.render(sample, model="isnet", background="white")
                assert shot.model == "isnet"
                assert shot.confidence > 0.8
