"""The model that is served is the one whose weights and card are committed."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from export.best_weights import Answer  # noqa: E402
from export.evaluate import evaluate  # noqa: E402
from export.graph import fold_norms, round_network  # noqa: E402
from export.measures import mean_agreement  # noqa: E402
from export.networks.matte import count_parameters  # noqa: E402
from export.networks.registry import network_of  # noqa: E402
from export.weights_file import ModelCard, read_weights  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "export" / "weights"
# IoU with the samples' exact mattes; a plinth or a cube beside the product costs 0.05 and more.
LEAST = {"bottle": 0.97, "camera": 0.97, "headphones": 0.89, "mug": 0.93, "toy": 0.96}
MODEL = ROOT / "model_repository" / "matte" / "1" / "model.onnx"


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return ModelCard.read(WEIGHTS / "matte.json")


def scene(side: int) -> np.ndarray:
    """A bright disc on a shaded ground."""
    y, x = np.mgrid[:side, :side] / side
    disc = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.07
    ground = np.stack([90 + 60 * y, 100 + 50 * y, 120 + 40 * x], axis=2)
    return np.where(disc[..., None], (230, 120, 30), ground).astype(np.uint8)


def test_onnx_and_weights_answer_alike(card: ModelCard) -> None:
    network = network_of(card.network)
    read_weights(network, WEIGHTS / "matte.safetensors")
    round_network(fold_norms(network.eval()))  # as the file stores them
    noise = np.random.default_rng(2).integers(0, 256, (card.side, card.side, 3), np.uint8)
    photos = np.stack([scene(card.side), noise])
    served = ort.InferenceSession(str(MODEL)).run(None, {"photo": photos})[0]
    assert np.abs(served.astype(int) - Answer(network)(photos)).max() <= 1


def test_it_finds_a_plain_object() -> None:
    session = ort.InferenceSession(str(MODEL))
    side = session.get_inputs()[0].shape[1]
    matte = session.run(None, {"photo": scene(side)[None]})[0][0, ..., 0]
    y, x = int(0.45 * side), side // 2
    assert matte[y, x] > 200
    assert max(matte[4, 4], matte[4, -5], matte[-5, 4], matte[-5, -5]) < 60


def test_the_card_describes_the_committed_weights(card: ModelCard) -> None:
    assert card.parameters == count_parameters(network_of(card.network))
    assert card.licence == "Apache-2.0"
    assert card.command.startswith("python -m export train")
    assert f"--seed {card.seed}" in card.command
    assert all(source.origin and source.licence for source in card.sources)
    assert (WEIGHTS / "matte.safetensors").stat().st_size < 4_500_000


def test_the_card_tells_what_the_weights_owe_to_other_networks(card: ModelCard) -> None:
    encoder, teacher = card.learned_from
    assert "EfficientNet-Lite0" in encoder.pictures
    assert encoder.licence == "Apache-2.0"
    assert "IS-Net" in teacher.pictures
    assert "restrict commercial use" in teacher.licence


@pytest.mark.parametrize("name", ["matte", "matte-fp16", "matte-int8"])
def test_no_file_grows_beyond_what_the_repository_takes(name: str) -> None:
    path = ROOT / "model_repository" / name / "1" / "model.onnx"
    assert path.stat().st_size < 4_500_000


@pytest.mark.parametrize("name", ["matte", "matte-fp16", "matte-int8"])
def test_the_samples_are_cut_without_plinth_and_cube(name: str) -> None:
    """Each sample is held to its exact matte, on which no prop is."""
    model = ROOT / "model_repository" / name / "1" / "model.onnx"
    reached = {one.photo.name: one.agreement.iou for one in evaluate(model, ROOT / "samples")}
    assert reached.keys() == LEAST.keys()
    assert all(iou >= LEAST[name] for name, iou in reached.items()), reached


def test_the_card_travels_in_the_served_file(card: ModelCard) -> None:
    carried = ort.InferenceSession(str(MODEL)).get_modelmeta().custom_metadata_map
    assert carried["licence"] == card.licence
    assert json.loads(carried["card"])["measures"] == card.measures


@pytest.mark.photos
def test_it_does_on_real_photos_what_its_card_says(
    card: ModelCard, evaluation_photos: Path
) -> None:
    judged = mean_agreement([one.agreement for one in evaluate(MODEL, evaluation_photos)])
    assert judged.iou == pytest.approx(card.measures["photos"]["iou"], abs=0.01)
    assert judged.mae == pytest.approx(card.measures["photos"]["mae"], abs=0.005)
    assert judged.iou >= 0.86
    assert judged.mae <= 0.045
