"""The network on a published encoder: shapes, names, what stands still, what is served."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")

from export.best_weights import Answer  # noqa: E402
from export.compact import CODES, SCALES  # noqa: E402
from export.compact_graph import HALVED, unpack  # noqa: E402
from export.errors import CheckpointError  # noqa: E402
from export.graph import (  # noqa: E402
    fold_norms,
    round_network,
    write_onnx,
)
from export.networks.lite import LiteMatte, normed  # noqa: E402
from export.networks.matte import Matte, count_parameters  # noqa: E402
from export.networks.registry import network_like, network_of, seeded_network  # noqa: E402
from export.training import pretrained  # noqa: E402
from export.training.pretrained import hold_still, load_encoder  # noqa: E402
from export.verification import verify  # noqa: E402
from tests.support.networks import probed  # noqa: E402

SIDE = 64
pytestmark = pytest.mark.filterwarnings(  # raised inside the exporter and of no consequence
    "ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"
)


def lively(seed: int = 3) -> Any:
    """A network none of whose norms is the identity."""
    network = seeded_network("lite", seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for name, value in network.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 1.5, generator=generator)
        for name, value in network.named_parameters():
            if "norm" not in name and value.ndim == 1:
                value.add_(torch.empty_like(value).normal_(0, 0.1, generator=generator))
    return network


def photo(count: int = 2, side: int = SIDE) -> Any:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1


def test_it_gives_logits_of_the_photo_s_size_and_levels_to_learn_by() -> None:
    network = lively()
    assert network.eval()(photo()).shape == (2, 1, SIDE, SIDE)
    sides = [level.shape[-1] for level in network.train().levels(photo())]
    assert sides == [SIDE, SIDE // 32, SIDE // 16, SIDE // 8, SIDE // 4]


def test_the_encoder_has_the_published_names_and_shapes() -> None:
    encoder = LiteMatte().encoder
    names = encoder.state_dict()
    assert names["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert "_blocks.0._expand_conv.weight" not in names
    assert names["_blocks.3._depthwise_conv.weight"].shape == (144, 1, 5, 5)
    assert names["_blocks.15._project_conv.weight"].shape == (320, 1152, 1, 1)
    assert count_parameters(encoder) == ENCODER_PARAMETERS
    assert 3_700_000 < count_parameters(LiteMatte()) < 3_800_000


ENCODER_PARAMETERS = 2_958_848  # of the published file, without its head


def test_only_the_published_file_fills_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = seeded_network("lite", 9)
    state = other.encoder.state_dict() | {  # type: ignore[union-attr]
        "_conv_head.weight": torch.zeros(1280, 320, 1, 1),
        "_bn1.weight": torch.zeros(1280),
        "_fc.weight": torch.zeros(1000, 1280),
    }
    path = tmp_path / "encoder.pth"
    torch.save(state, path)
    network = seeded_network("lite", 1)
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_encoder(network, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(pretrained, "SHA256", digest)
    load_encoder(network, path)
    stem = network.encoder._conv_stem.weight  # type: ignore[union-attr]  # noqa: SLF001
    assert torch.equal(stem, state["_conv_stem.weight"])
    with pytest.raises(CheckpointError, match="only the network lite"):
        load_encoder(Matte(), path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_encoder(network, tmp_path / "none.pth")


def test_padding_is_tensorflow_s() -> None:
    """Of an even side, a stride of two pads after the picture alone."""
    network = LiteMatte().encoder.eval()
    with torch.inference_mode():
        network._conv_stem.weight.zero_()  # noqa: SLF001
        network._conv_stem.weight[:, :, 0, 0] = 1.0  # noqa: SLF001  looks at its upper left only
        picture = torch.zeros(1, 3, SIDE, SIDE)
        picture[:, :, 0, 0] = 1.0
        seen = normed(picture, network._conv_stem, network._bn0)  # noqa: SLF001
    assert seen[0, 0, 0, 0] > 1
    assert not seen[0, 0, 1:].any()


def test_what_is_held_still_does_not_learn() -> None:
    network = lively()
    hold_still(network, 3, statistics=True)
    network.train()
    before = {name: value.clone() for name, value in network.encoder.named_buffers()}
    network.levels(photo())[0].square().mean().backward()
    assert all(torch.equal(before[name], value) for name, value in network.encoder.named_buffers())
    learning = {name for name, value in network.named_parameters() if value.grad is not None}
    assert not any(name.startswith("encoder._conv_stem") for name in learning)
    assert not any(name.startswith("encoder._blocks.2.") for name in learning)
    assert "encoder._blocks.3._expand_conv.weight" in learning
    assert "head.0.weight" in learning


def test_folding_norms_changes_no_answer() -> None:
    network = lively().eval()
    with torch.inference_mode():
        before = network(photo())
        folded = fold_norms(network)
        torch.testing.assert_close(folded(photo()), before, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())


def test_the_arithmetic_does_not_drift() -> None:
    """Frozen: other values here mean that committed weights no longer mean the same."""
    torch.testing.assert_close(probed(LiteMatte()), torch.tensor(FROZEN), rtol=1e-3, atol=1e-3)


FROZEN = [0.506, 1.86845, 0.59337, 0.85346]


def test_the_file_holds_a_third_of_the_bytes_and_answers_alike(tmp_path: Path) -> None:
    network = round_network(fold_norms(lively().eval()))
    path = tmp_path / "model.onnx"
    model = write_onnx(network, SIDE, path, {}, packed=True)
    assert path.stat().st_size < 1.3 * count_parameters(network)
    kinds = {node.op_type for node in model.graph.node}
    assert "Pad" not in kinds
    assert "BatchNormalization" not in kinds
    real = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    assert verify(path, Answer(network), SIDE, real, batch_sizes=(1, 3)).largest_difference <= 1
    restored = onnx.load(path)
    unpack(restored)
    onnx.checker.check_model(restored, full_check=True)
    names = [tensor.name for tensor in restored.graph.initializer]
    assert not any(name.endswith((HALVED, CODES, SCALES)) for name in names)
    assert sum(len(tensor.raw_data) for tensor in restored.graph.initializer) > 3.9 * 3_700_000


def test_stored_weights_tell_their_network() -> None:
    for name, kind in (("matte", Matte), ("lite", LiteMatte)):
        state = seeded_network(name, 0).state_dict()
        assert isinstance(network_like(state), kind)
        assert isinstance(network_of(f"export.networks.{name}"), kind)
    with pytest.raises(CheckpointError, match="fit no network"):
        network_like({"a": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="no network 'resnet'"):
        network_of("resnet")
