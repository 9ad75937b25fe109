"""The published networks take the published weights and compute what their authors' code does."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.networks.alexnet import SIDE, AlexNet  # noqa: E402
from export.networks.isnet import ISNet  # noqa: E402
from export.networks.matte import count_parameters  # noqa: E402
from export.networks.u2net import U2Net, u2netp  # noqa: E402

CHECKPOINTS = Path(__file__).parent / "checkpoints"
NETWORKS: dict[str, Callable[[], Any]] = {
    "u2net": U2Net,
    "u2netp": u2netp,
    "isnet": ISNet,
}
PARAMETERS = {"u2net": 44_009_869, "u2netp": 1_131_181, "isnet": 44_046_790}
MEGABYTES = {"u2net": 176.3, "u2netp": 4.7, "isnet": 176.6}  # of the published files


def published(name: str) -> dict[str, tuple[int, ...]]:
    lines = (CHECKPOINTS / f"{name}.txt").read_text().splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {tensor: tuple(map(int, shape.split("x"))) for tensor, shape in pairs}


def filled(network: Any, gain: float) -> Any:
    """Fill with waves that are the same whatever torch draws, and that reach every layer."""
    with torch.inference_mode():
        for name, value in network.state_dict().items():
            if not value.is_floating_point():
                continue
            wave = torch.cos(torch.arange(value.numel()) * 0.37 + len(name)).view_as(value)
            if value.ndim > 1:
                value.copy_(gain * wave * value[0].numel() ** -0.5)
            elif name.endswith(("var", "bn_s1.weight")):
                value.copy_(1 + 0.3 * wave)
            else:
                value.copy_(0.3 * wave)
    return network.eval()


def striped_photo(side: int = 64) -> Any:
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack([torch.sin(row * k / 9 + column * 0.1) for k in (1, 2, 3)])[None]


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_those_of_the_published_file(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name]()
    ours = {
        tensor: tuple(value.shape)
        for tensor, value in network.state_dict().items()
        if not tensor.endswith("num_batches_tracked")
    }
    wanted = published(name)
    assert ours == wanted
    assert count_parameters(network) == PARAMETERS[name]
    megabytes = sum(math.prod(shape) for shape in wanted.values()) * 4 / 1e6
    assert megabytes < MEGABYTES[name] < megabytes + 0.4  # names and framing come on top


def test_a_published_file_loads_strictly_with_and_without_counters() -> None:
    state = {name: torch.rand(shape) for name, shape in published("u2netp").items()}
    network = u2netp()
    network.load_state_dict(state, strict=True)
    u2netp().load_state_dict(network.state_dict(), strict=True)
    with pytest.raises(RuntimeError, match=r"side6\.bias"):
        u2netp().load_state_dict({k: v for k, v in state.items() if k != "side6.bias"})


# Frozen: the authors' own code, as the lists in `checkpoints/` name it, filled with the same waves.
@pytest.mark.parametrize(
    ("name", "gain", "logits"),
    [
        ("u2netp", 3.0, [-0.12107, 1.10495, 1.94545, 1.42789]),
        ("isnet", 4.0, [-12.58894, -9.67729, -8.56085, -0.14155]),
    ],
)
def test_the_arithmetic_is_the_published_one(name: str, gain: float, logits: list[float]) -> None:
    with torch.inference_mode():
        answer = filled(NETWORKS[name](), gain)(striped_photo())[0, 0]
    probes = answer[[5, 20, 40, 60], [8, 50, 33, 1]]
    torch.testing.assert_close(probes, torch.tensor(logits), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(("name", "count"), [("u2netp", 7), ("isnet", 6)])
def test_training_sees_every_side_at_full_size(name: str, count: int) -> None:
    network = NETWORKS[name]().train()
    with torch.no_grad():
        levels = network.levels(torch.rand(2, 3, 64, 96))
        assert [level.shape for level in levels] == [(2, 1, 64, 96)] * count
        assert len(network.eval().levels(torch.rand(1, 3, 64, 64))) == 1


def test_sizes_that_no_power_of_two_divides_keep_their_size() -> None:
    with torch.inference_mode():
        assert u2netp().eval()(torch.rand(1, 3, 75, 90)).shape == (1, 1, 75, 90)


def test_alexnet_is_the_one_of_2012() -> None:
    with torch.device("meta"):
        network = AlexNet()
        assert network(torch.empty(2, 3, SIDE, SIDE)).shape == (2, 1000)
    assert count_parameters(network) == 60_965_224


def test_alexnet_normalises_responses_by_the_papers_formula() -> None:
    responses = torch.rand(1, 7, 2, 2, generator=torch.Generator().manual_seed(0)) * 50
    normalised = AlexNet(classes=1).features[2](responses)
    near = responses[0, 1:6]  # channels within two of channel 3
    wanted = responses[0, 3] / (2 + 1e-4 * near.square().sum(0)) ** 0.75
    torch.testing.assert_close(normalised[0, 3], wanted)
