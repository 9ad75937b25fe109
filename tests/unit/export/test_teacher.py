"""The teacher labels what it is sure of and nothing else."""

import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from torch import Tensor, nn  # noqa: E402

from export.training.teacher import label  # noqa: E402

SIDE = 96


class Brightness(nn.Module):
    """Takes what is bright for the product, surely or with a doubt that grows with its factor."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.steepness = steepness

    def forward(self, rgb: Tensor) -> Tensor:
        return rgb.mean(dim=1, keepdim=True) * self.steepness


class LeftHalf(nn.Module):
    """Takes the left half for the product, whatever is there."""

    def forward(self, rgb: Tensor) -> Tensor:
        answer: Tensor = torch.full_like(rgb[:, :1], -20.0)
        answer[..., : rgb.shape[-1] // 2] = 20.0
        return answer


def photo(box_px: int) -> Tensor:
    """A white square on black."""
    rgb: Tensor = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    rgb[:, 20 : 20 + box_px, 30 : 30 + box_px] = 255
    return rgb


def test_a_product_that_every_view_shows_alike_gets_a_label() -> None:
    photos = torch.stack([photo(40), photo(50)])
    mattes, sure = label(Brightness(30.0), photos, SIDE)
    assert sure.tolist() == [True, True]
    assert mattes.shape == (2, 1, SIDE, SIDE)
    assert mattes.dtype == torch.uint8
    off = (mattes.float() - photos[:, :1].float()).abs()
    assert off.mean() < 4


def test_a_matte_that_a_mirror_image_contradicts_is_no_label() -> None:
    _, sure = label(LeftHalf(), photo(40)[None], SIDE)
    assert sure.tolist() == [False]


def test_a_doubtful_matte_is_no_label() -> None:
    _, sure = label(Brightness(0.5), photo(40)[None], SIDE)
    assert sure.tolist() == [False]


def test_products_of_odd_sizes_are_no_label() -> None:
    _, sure = label(Brightness(30.0), torch.stack([photo(3), photo(40)]), SIDE)
    assert sure.tolist() == [False, True]
    _, sure = label(Brightness(30.0), torch.full((1, 3, SIDE, SIDE), 255, dtype=torch.uint8), SIDE)
    assert sure.tolist() == [False]
