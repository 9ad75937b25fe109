"""An exported model answers as its network does, and is refused where it does not."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from export.best_weights import Answer  # noqa: E402
from export.build import build  # noqa: E402
from export.compact import LARGE, LARGEST_CODE  # noqa: E402
from export.errors import CheckpointError, PicturesError, VerificationError  # noqa: E402
from export.graph import LARGEST_IR_VERSION, OPSET, write_onnx  # noqa: E402
from export.networks.matte import Matte, seeded  # noqa: E402
from export.tensor_names import MATTE, PHOTO  # noqa: E402
from export.verification import BATCH_SIZES, verify  # noqa: E402
from export.weights_file import ModelCard, read_weights, write_weights  # noqa: E402

pytestmark = pytest.mark.filterwarnings(  # raised inside the exporter and of no consequence
    "ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"
)
SIDE = 64


def lively(seed: int) -> Matte:
    """A network whose mattes are neither black nor white nor grey all over."""
    network = seeded(seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for name, weight in network.named_parameters():
            if name.endswith("second.1.weight"):
                weight.fill_(0.5)
            if name.startswith("head"):
                weight.normal_(generator=generator)
    return network


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_onnx(lively(1), SIDE, path, {"licence": "Apache-2.0"})
    return path


def photos(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(8)
    return [rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(count)]


def test_the_graph_equals_the_network_at_every_batch_size(exported: Path) -> None:
    seen = verify(exported, Answer(lively(1)), SIDE, photos(3))
    assert seen.largest_difference <= 1
    assert seen.pictures == 3 + max(BATCH_SIZES)
    matte = ort.InferenceSession(str(exported)).run(None, {PHOTO: np.stack(photos(1))})[0]
    assert matte.std() > 20


def test_another_networks_graph_is_refused(exported: Path) -> None:
    with pytest.raises(VerificationError, match="differs from the network"):
        verify(exported, Answer(lively(2)), SIDE, photos(1))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(VerificationError, match=r"model\.onnx"):
        verify(path, Answer(lively(1)), SIDE, [])


def test_the_file_keeps_the_wire_contract_and_what_triton_reads(exported: Path) -> None:
    model = onnx.load(exported)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [OPSET]
    assert OPSET >= 17
    assert model.ir_version <= LARGEST_IR_VERSION
    session = ort.InferenceSession(str(exported))
    (photo,), (matte,) = session.get_inputs(), session.get_outputs()
    assert (photo.name, photo.type, photo.shape[1:]) == (PHOTO, "tensor(uint8)", [SIDE, SIDE, 3])
    assert (matte.name, matte.type, matte.shape[1:]) == (MATTE, "tensor(uint8)", [SIDE, SIDE, 1])
    assert isinstance(photo.shape[0], str)
    assert photo.shape[0] == matte.shape[0]
    assert session.get_modelmeta().custom_metadata_map["licence"] == "Apache-2.0"


def test_the_file_tells_nothing_of_where_it_was_made(exported: Path) -> None:
    content = exported.read_bytes()
    assert str(Path(__file__).resolve().parents[3]).encode() not in content
    assert b".py" not in content


def test_weights_come_back_as_they_are_rounded(tmp_path: Path) -> None:
    network, back = lively(3), Matte().eval()
    path = tmp_path / "w.safetensors"
    write_weights(network, path)
    assert path.stat().st_size < 2_600_000
    read_weights(back, path)
    stored = back.state_dict()
    for name, value in network.state_dict().items():
        coarse = value.ndim > 1 and value.numel() >= LARGE
        # Of a layer in codes: half a step of a channel's largest weight.
        off = value.abs().max().item() * 0.51 / LARGEST_CODE if coarse else 1e-6
        torch.testing.assert_close(
            stored[name].float(), value.float(), rtol=1e-3, atol=off, msg=name
        )


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(torch.nn.Conv2d(3, 4, 1), path)
    with pytest.raises(CheckpointError, match="another network"):
        read_weights(Matte(), path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_weights(Matte(), tmp_path / "missing.safetensors")


def a_card(name: str) -> ModelCard:
    return ModelCard(
        name=name,
        network="export.networks.matte",
        licence="Apache-2.0",
        side=SIDE,
        parameters=1,
        command="python -m export train",
        seed=1,
        trained={"steps": 1},
        measures={},
        sources=(),
    )


def test_a_model_folder_is_built_whole_or_not_at_all(tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    weights, repository, real = tmp_path / "weights", tmp_path / "models", tmp_path / "real"
    real.mkdir()
    write_weights(lively(1), weights / "tiny.safetensors")
    a_card("tiny").write(weights / "tiny.json")
    with pytest.raises(PicturesError):
        build("tiny", repository, real, weights=weights)
    assert not repository.exists()
    Image.fromarray(photos(1)[0]).save(real / "photo.png")
    built = build("tiny", repository, real, weights=weights, max_batch_size=4)
    assert built.verified.largest_difference <= 1
    files = sorted(str(path.relative_to(repository)) for path in repository.rglob("*.*"))
    assert files == ["tiny/1/model.onnx", "tiny/config.pbtxt"]


def test_a_model_without_a_card_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nobody\.json"):
        build("nobody", tmp_path, tmp_path, weights=tmp_path)
