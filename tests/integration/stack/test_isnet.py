"""A large, slow network beside the default: IS-Net's public weights on the real stack."""

import shutil
import subprocess
from pathlib import Path

from PIL import Image

from deploy.local.models_sheet import cut_by_each_model
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
    # The README's command; it finds the file where the fixture has put it.
    assert published_isnet.parent == ROOT / "build" / "models"
    made = subprocess.run(
        ["/usr/bin/env", "make", "isnet", "ACCEPT=1", f"MODELS={models}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "COMMERCIAL USE: UNCLEAR" in made.stdout
    environ = {"PACKSHOT_DEFAULT_MODEL": "matte-int8"}
    gateway = launch_gateway(start_triton(models), tmp_path / "gateway.log", environ)
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        with Client(gateway.target, timeout_s=120, retries=False) as client:
            (model,) = (model for model in client.models() if model.name == "isnet")
            assert model.card is not None
            assert model.card.licence == "none of the weights' own"
            sheet = cut_by_each_model(client, samples[:2], tmp_path)
            for sample in samples:
                shot = client.render(sample, model="isnet", background="white")
                assert shot.model == "isnet"
                assert shot.confidence > 0.8
    for sample in samples[:2]:
        assert (tmp_path / f"{sample.stem}-matte-int8.jpg").is_file()
        assert (tmp_path / f"{sample.stem}-isnet.jpg").is_file()
    with Image.open(sheet) as image:
        # Two photos, a row for them and one for each model.
        assert image.size == (2 * 372 + 12, 3 * 398 + 12)
