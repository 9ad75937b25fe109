"""A foreign model is served as its file answers, or refused by naming what was found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from onnx import TensorProto, helper  # noqa: E402

from export.cli import main  # noqa: E402
from export.errors import CheckpointError, ModelFileError, VerificationError  # noqa: E402
from export.import_model import ImportedModel, import_model  # noqa: E402
from export.networks.u2net import u2netp  # noqa: E402
from export.recipes import Activation, Recipe  # noqa: E402
from export.tensor_names import MATTE, PHOTO  # noqa: E402
from export.triton_config import read_config  # noqa: E402
from export.wrap import LARGEST_IR_VERSION, LARGEST_OPSET, LEAST_OPSET  # noqa: E402

pytestmark = pytest.mark.filterwarnings(  # raised inside the exporter and of no consequence
    "ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"
)
SIDE = 32
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FLOAT = TensorProto.FLOAT
FOUR = ["n", 3, SIDE, SIDE]


def recipe(**other: Any) -> Recipe:
    given = {"licence": "MIT", "source": "https://example.org", **other}
    return Recipe(given.pop("side", SIDE), MEAN, STD, **given)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    y, x = np.mgrid[:SIDE, :SIDE] * 255 // SIDE
    Image.fromarray(np.dstack([x, y, 255 - x]).astype(np.uint8)).save(folder / "ramp.png")
    return folder


def photos(count: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def served(imported: ImportedModel, batch: np.ndarray) -> Any:
    session = ort.InferenceSession(str(imported.folder / "1" / "model.onnx"))
    return session.run([MATTE], {PHOTO: batch})[0]


def normalised(batch: np.ndarray) -> Any:
    values = (batch / 255 - np.array(MEAN)) / np.array(STD)
    return torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))


def file_of(
    path: Path,
    nodes: list[Any],
    inputs: dict[str, list[Any]],
    outputs: dict[str, list[Any]],
    *,
    kind: int = FLOAT,
    opset: int = 17,
    constants: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write a graph of a few nodes."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return path


def mean_of_channels(
    path: Path, *, batch: Any = "n", kind: int = FLOAT, opset: int = 17, side: int = SIDE
) -> Path:
    """A "network": the mean over channels, under the very names of the contract."""
    return file_of(
        path,
        [helper.make_node("ReduceMean", [PHOTO], [MATTE], axes=[1], keepdims=1)],
        {PHOTO: [batch, 3, side, side]},
        {MATTE: [batch, 1, side, side]},
        kind=kind,
        opset=opset,
    )


def expected_mean(batch: np.ndarray, *, sigmoid: bool = False) -> Any:
    matte = normalised(batch).mean(1, keepdim=True)
    matte = torch.sigmoid(matte) if sigmoid else matte.clip(0, 1)
    return (matte * 255).round().numpy().astype(int).transpose(0, 2, 3, 1)


class Cutter(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A small network of two outputs, the second of which is the matte's logits."""

    def __init__(self) -> None:
        super().__init__()
        self.down = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = torch.nn.ConvTranspose2d(8, 1, 2, stride=2)

    def forward(self, photo: Any) -> tuple[Any, Any]:
        inner = torch.relu(self.down(photo))
        return inner, 3 * self.up(inner)


def test_an_onnx_file_of_torch_answers_as_torch_does(tmp_path: Path, pictures: Path) -> None:
    torch.manual_seed(5)
    network, path = Cutter().eval(), tmp_path / "cutter.onnx"
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, SIDE, SIDE),),
        path,
        dynamo=True,
        opset_version=18,
        input_names=["image"],
        output_names=["features", "logits"],
        dynamic_shapes={"photo": {0: torch.export.Dim("batch", min=1, max=64)}},
        verbose=False,
    )
    asked = recipe(output=1, activation=Activation.SIGMOID)
    imported = import_model(path, "cutter", asked, tmp_path / "models", pictures, max_batch_size=8)
    assert imported.max_batch_size == 8
    with torch.inference_mode():
        wanted = torch.sigmoid(network(normalised(photos(5)))[1]).numpy() * 255
    found = served(imported, photos(5))
    assert found.dtype == np.uint8
    assert np.abs(found.transpose(0, 3, 1, 2) - np.rint(wanted)).max() <= 1
    assert found.std() > 20


def test_published_weights_answer_as_the_network_does(tmp_path: Path, pictures: Path) -> None:
    torch.manual_seed(6)
    network: Any = u2netp().eval()
    with torch.inference_mode():
        network.outconv.weight.normal_(std=20)
        network.outconv.bias.zero_()
    path = tmp_path / "u2netp.pth"
    torch.save(network.state_dict(), path)
    asked = recipe(network="u2netp")
    imported = import_model(path, "u2netp", asked, tmp_path / "models", pictures, max_batch_size=2)
    with torch.inference_mode():
        wanted = torch.sigmoid(network(normalised(photos(2)))).numpy() * 255
    found = served(imported, photos(2)).transpose(0, 3, 1, 2)
    assert np.abs(found - np.rint(wanted)).max() <= 1
    assert found.std() > 5


@pytest.mark.parametrize("activation", Activation)
def test_a_file_may_use_the_contracts_own_names(
    tmp_path: Path, pictures: Path, activation: Activation
) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    asked = recipe(activation=activation)
    found = served(import_model(path, "mean", asked, tmp_path / "models", pictures), photos(3))
    wanted = expected_mean(photos(3), sigmoid=activation is Activation.SIGMOID)
    assert np.abs(found - wanted).max() <= 1


def test_a_photo_of_nothing_stays_without_a_matte(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    imported = import_model(path, "mean", recipe(), tmp_path / "models", pictures)
    assert not served(imported, np.zeros((1, SIDE, SIDE, 3), np.uint8)).any()


def test_half_precision_is_served_too(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "half.onnx", kind=TensorProto.FLOAT16)
    found = served(import_model(path, "half", recipe(), tmp_path / "models", pictures), photos(2))
    assert np.abs(found - expected_mean(photos(2))).max() <= 2


def test_weights_beside_the_file_come_along(tmp_path: Path, pictures: Path) -> None:
    path = file_of(
        tmp_path / "outside.onnx",
        [helper.make_node("Conv", ["x", "thirds"], ["y"])],
        {"x": FOUR},
        {"y": ["n", 1, SIDE, SIDE]},
        constants={"thirds": np.full((1, 3, 1, 1), 1 / 3, np.float32)},
    )
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="outside.data", size_threshold=0)
    assert (tmp_path / "outside.data").stat().st_size > 0
    imported = import_model(path, "outside", recipe(), tmp_path / "models", pictures)
    assert np.abs(served(imported, photos(1)) - expected_mean(photos(1))).max() <= 1


def test_an_old_file_is_raised_to_operators_that_the_graph_needs(
    tmp_path: Path, pictures: Path
) -> None:
    path = mean_of_channels(tmp_path / "old.onnx", opset=9)
    imported = import_model(path, "old", recipe(), tmp_path / "models", pictures)
    model = onnx.load(imported.folder / "1" / "model.onnx")
    assert [one.version for one in model.opset_import] == [LEAST_OPSET]
    assert np.abs(served(imported, photos(1)) - expected_mean(photos(1))).max() <= 1


def test_a_batch_of_one_in_name_only_is_lifted(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "one.onnx", batch=1)
    imported = import_model(path, "one", recipe(), tmp_path / "models", pictures, max_batch_size=4)
    assert imported.max_batch_size == 4
    assert np.abs(served(imported, photos(4)) - expected_mean(photos(4))).max() <= 1


def fixed_to_one(path: Path) -> Path:
    """A graph into which a batch of one is written."""
    return file_of(
        path,
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("Reshape", ["mean", "shape"], ["y"]),
        ],
        {"x": [1, 3, SIDE, SIDE]},
        {"y": [1, 1, SIDE, SIDE]},
        constants={"shape": np.array([1, 1, SIDE, SIDE])},
    )


def test_a_graph_for_one_photo_gets_batches_of_one_and_the_command_says_so(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fixed_to_one(tmp_path / "one.onnx")
    rules = tmp_path / "recipe.toml"
    rules.write_text(
        f'side = {SIDE}\nmean = {list(MEAN)}\nstd = {list(STD)}\nlicence = "MIT"\nsource = "here"\n'
    )
    command = ["import", str(path), "--name", "one", "--recipe-file", str(rules)]
    command += ["--repository", str(tmp_path / "models"), "--photos", str(pictures)]
    assert main(command) == 0
    assert "photos go one at a time" in capsys.readouterr().out
    config = read_config(tmp_path / "models" / "one" / "config.pbtxt")
    assert config.max_batch_size == 1
    session = ort.InferenceSession(str(tmp_path / "models" / "one" / "1" / "model.onnx"))
    assert session.get_outputs()[0].shape == ["batch", SIDE, SIDE, 1]  # or Triton refuses it
    assert list(config.input[0].dims) == [SIDE, SIDE, 3]
    assert list(config.output[0].dims) == [SIDE, SIDE, 1]


def test_the_folder_is_what_triton_reads_with_a_card(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    folder = import_model(path, "mean", recipe(), tmp_path / "models", pictures).folder
    files = sorted(str(one.relative_to(folder)) for one in folder.rglob("*.*"))
    assert files == ["1/model.onnx", "config.pbtxt"]
    session = ort.InferenceSession(str(folder / "1" / "model.onnx"))
    (photo,), (matte,) = session.get_inputs(), session.get_outputs()
    assert (photo.name, photo.type, photo.shape) == (
        PHOTO,
        "tensor(uint8)",
        ["batch", SIDE, SIDE, 3],
    )
    assert (matte.name, matte.type, matte.shape[1:]) == (MATTE, "tensor(uint8)", [SIDE, SIDE, 1])
    carried = session.get_modelmeta().custom_metadata_map
    assert (carried["model"], carried["licence"]) == ("mean", "MIT")
    card = json.loads(carried["card"])
    assert card["source"] == "https://example.org"
    assert card["file"] == "mean.onnx"
    assert len(card["sha256"]) == 64
    assert onnx.load(folder / "1" / "model.onnx").ir_version <= LARGEST_IR_VERSION


def passing(inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> Any:
    """Write a graph whose outputs each are the first input's mean over channels."""
    first = next(iter(inputs))

    def write(path: Path) -> Path:
        nodes = [
            helper.make_node("ReduceMean", [first], [name], axes=[1], keepdims=len(shape) - 3)
            for name, shape in outputs.items()
        ]
        return file_of(path, nodes, inputs, outputs)

    return write


def newest(path: Path) -> Path:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return file_of(path, nodes, {"x": FOUR}, {"y": FOUR}, opset=LARGEST_OPSET + 1)


ODD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "two inputs": (
        passing({"image": FOUR, "trimap": ["n", 1, SIDE, SIDE]}, {"y": ["n", 1, SIDE, SIDE]}),
        r"takes 2 \(image float \[\?, 3, 32, 32\]; trimap float \[\?, 1, 32, 32\]\); one photo",
    ),
    "another side": (
        passing({"x": ["n", 3, 48, 48]}, {"y": ["n", 1, 48, 48]}),
        r"takes x float \[\?, 3, 48, 48\]; the recipe's photo is \[1, 3, 32, 32\]",
    ),
    "channels last": (
        passing({"x": [1, SIDE, SIDE, 3]}, {"y": [1, 1, SIDE, 3]}),
        r"takes x float \[1, 32, 32, 3\]",
    ),
    "a batch of ten": (
        passing({"x": [10, 3, SIDE, SIDE]}, {"y": [10, 1, SIDE, SIDE]}),
        r"\[10, 3, 32, 32\]",
    ),
    "no picture out": (
        passing({"x": FOUR}, {"y": ["n", SIDE, SIDE]}),
        r"gives 1 \(y float \[\?, 32, 32\]\); output 0 should be \[1, 1, 32, 32\]",
    ),
    "three channels out": (
        lambda path: file_of(
            path, [helper.make_node("Identity", ["x"], ["y"])], {"x": FOUR}, {"y": FOUR}
        ),
        r"y float \[\?, 3, 32, 32\]\); output 0 should be \[1, 1, 32, 32\]",
    ),
    "another size out than told": (
        lambda path: file_of(
            path, [helper.make_node("Identity", ["x"], ["y"])], {"x": FOUR}, {"y": list("nchw")}
        ),
        r"y float \[\?, \?, \?, \?\] answers \[1, 3, 32, 32\]",
    ),
    "operators of tomorrow": (newest, r"needs opset 22; .* knows 21"),
    "no ONNX": (lambda path: path.write_bytes(b"\xff\xd8 a photo"), r"is no ONNX file"),
    "an empty file": (lambda path: path.write_bytes(b""), r"is no ONNX file"),
    "no file": (lambda _: None, r"odd\.onnx cannot be read"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_file_is_refused_by_what_was_found(
    tmp_path: Path, pictures: Path, case: str
) -> None:
    write, message = ODD[case]
    write(tmp_path / "odd.onnx")
    with pytest.raises(ModelFileError, match=message):
        import_model(tmp_path / "odd.onnx", "odd", recipe(), tmp_path / "models", pictures)
    assert not (tmp_path / "models").exists()


def test_an_output_that_is_not_there_is_named(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    with pytest.raises(ModelFileError, match=r"gives 1 \(matte .*\); there is no 3"):
        import_model(path, "mean", recipe(output=3), tmp_path / "models", pictures)


def test_a_graph_that_the_runtime_refuses_is_refused(tmp_path: Path, pictures: Path) -> None:
    nodes = [helper.make_node("Nonsense", ["x"], ["y"], domain="nobody")]
    path = file_of(tmp_path / "odd.onnx", nodes, {"x": FOUR}, {"y": ["n", 1, SIDE, SIDE]})
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("nobody", 1))
    onnx.save(model, path)
    with pytest.raises(VerificationError, match="cannot be loaded"):
        import_model(path, "odd", recipe(), tmp_path / "models", pictures)


@pytest.mark.parametrize("name", ["../mean", "", "a b", ".hidden"])
def test_a_name_that_is_no_folder_of_triton_is_refused(
    tmp_path: Path, pictures: Path, name: str
) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    with pytest.raises(ModelFileError, match="no name of a model"):
        import_model(path, name, recipe(), tmp_path / "models", pictures)


def test_a_model_that_is_there_is_not_replaced(tmp_path: Path, pictures: Path) -> None:
    path = mean_of_channels(tmp_path / "mean.onnx")
    import_model(path, "mean", recipe(), tmp_path / "models", pictures)
    with pytest.raises(ModelFileError, match="is there already"):
        import_model(path, "mean", recipe(), tmp_path / "models", pictures)


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: {**state, "weight": torch.zeros(1)}, r"names differ: \['weight'\]"),
        (
            lambda state: {**state, "outconv.bias": torch.zeros(2)},
            r"outconv\.bias is .*\[2\].*, not .*\[1\]",
        ),
        (
            lambda state: {"model": state, "epoch": 3},
            r"tensors by name but \['epoch', 'model'\]",
        ),
        (lambda _: [1, 2], "tensors by name but list"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tmp_path: Path, pictures: Path, change: Callable[[Any], Any], message: str
) -> None:
    path = saved(tmp_path / "odd.pth", change(u2netp().state_dict()))
    with pytest.raises(CheckpointError, match=message):
        import_model(path, "odd", recipe(network="u2netp"), tmp_path / "models", pictures)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half an archive"])
def test_a_file_that_holds_no_weights_is_refused(
    tmp_path: Path, pictures: Path, content: bytes
) -> None:
    (tmp_path / "odd.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        import_model(tmp_path / "odd.pth", "odd", recipe(network="u2netp"), tmp_path, pictures)


class Trap:
    """Would run code while it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("code of the file ran",)


def test_code_within_a_weights_file_is_not_run(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "trap.pth", {"side1.bias": Trap()})
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        import_model(path, "odd", recipe(network="u2netp"), tmp_path / "models", pictures)
    assert "ran" not in capsys.readouterr().out


def test_bare_weights_need_a_network_and_a_known_ending(tmp_path: Path, pictures: Path) -> None:
    path = saved(tmp_path / "weights.pth", {"a": torch.zeros(1)})
    with pytest.raises(ModelFileError, match="names no network"):
        import_model(path, "odd", recipe(), tmp_path / "models", pictures)
    with pytest.raises(ModelFileError, match=r"\.onnx, \.pt, \.pth, \.safetensors"):
        import_model(path.rename(tmp_path / "weights.bin"), "odd", recipe(), tmp_path, pictures)
