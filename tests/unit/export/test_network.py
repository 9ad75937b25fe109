"""The default network keeps its shapes, its size and its arithmetic."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.graph import ServedMatte, fold_norms  # noqa: E402
from export.networks.matte import Matte, count_parameters, seeded  # noqa: E402
from tests.support.networks import probed  # noqa: E402


def random_photo(side: int, count: int = 2) -> Any:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(count, 3, side, side, generator=generator) * 2 - 1


@pytest.mark.parametrize("side", [64, 96])
def test_a_photo_gives_logits_of_its_size(side: int) -> None:
    network = seeded(0).eval()
    assert network(random_photo(side)).shape == (2, 1, side, side)


def test_training_sees_a_level_at_each_resolution() -> None:
    levels = seeded(0).train().levels(random_photo(64))
    assert [level.shape[-1] for level in levels] == [64, 4, 8, 16]


def test_parameters_stay_within_what_the_repository_can_hold() -> None:
    assert 2_000_000 < count_parameters(seeded(0)) < 2_200_000


def test_one_seed_gives_one_network_and_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    first, second, other = (seeded(seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["stem.1.0.weight"], other["stem.1.0.weight"])


def test_the_arithmetic_does_not_drift() -> None:
    """Frozen: other values here mean that committed weights no longer mean the same."""
    torch.testing.assert_close(probed(Matte()), torch.tensor(FROZEN), rtol=1e-3, atol=1e-3)


FROZEN = [1.27376, 0.52083, 2.27765, 1.75994]


def test_folding_norms_changes_no_answer() -> None:
    network = seeded(4).eval()
    with torch.inference_mode():
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(generator=torch.Generator().manual_seed(1))
        photo = random_photo(64)
        before = network(photo)
        folded = fold_norms(network)
        torch.testing.assert_close(folded(photo), before, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())


def test_the_served_graph_takes_and_gives_bytes() -> None:
    photo = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    matte = ServedMatte(seeded(0)).eval()(photo)
    assert matte.shape == (2, 64, 64, 1)
    assert matte.dtype == torch.uint8
