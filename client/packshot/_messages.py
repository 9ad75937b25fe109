"""Requests and answers, shared by both clients: plain Python on one side, protobuf on the other."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from packshot.v1 import packshot_pb2 as pb

Photo: TypeAlias = bytes | str | PathLike[str]
FormatName: TypeAlias = Literal["png", "jpeg", "webp", "avif"]

_FORMATS = {
    "png": pb.IMAGE_FORMAT_PNG,
    "jpeg": pb.IMAGE_FORMAT_JPEG,
    "webp": pb.IMAGE_FORMAT_WEBP,
    "avif": pb.IMAGE_FORMAT_AVIF,
}
_FORMAT_NAMES: dict[int, FormatName] = {
    pb.IMAGE_FORMAT_PNG: "png",
    pb.IMAGE_FORMAT_JPEG: "jpeg",
    pb.IMAGE_FORMAT_WEBP: "webp",
    pb.IMAGE_FORMAT_AVIF: "avif",
}


class Box(NamedTuple):
    """A box of whole pixels: left and top inclusive, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Packshot:
    """A finished picture.

    Attributes:
        picture: The file.
        format: "png", "jpeg", "webp" or "avif".
        media_type: The file's media type.
        width_px: Width.
        height_px: Height.
        product: The product's box in the picture.
        product_scale: Factor from the photo's pixels to the picture's; above 1 the product was
            enlarged and is less sharp than its frame.
        model: The model that made the cut.
        model_version: That model's version.
        stages_s: Seconds that each stage took inside the service: decode, prepare, infer, refine,
            compose, encode, and total, which includes waiting.
        notes: What in the photo's file could not be followed, such as a broken colour profile that
            was taken for absent; empty as a rule.
    """

    picture: bytes
    format: FormatName
    media_type: str
    width_px: int
    height_px: int
    product: Box
    product_scale: float
    model: str
    model_version: str
    stages_s: dict[str, float]
    notes: tuple[str, ...] = ()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture's file.

        Args:
            path: Where; a suffix that names another format is refused.

        Raises:
            ValueError: The suffix says another format than the picture has.
        """
        suffix = Path(path).suffix.lower().lstrip(".").replace("jpg", "jpeg")
        if suffix in _FORMATS and suffix != self.format:
            raise ValueError(f"the picture is {self.format}, but the path is {path}")
        Path(path).write_bytes(self.picture)


@dataclass(frozen=True, slots=True)
class Model:
    """A matting model of the service.

    Attributes:
        name: Its name, as `render` takes it.
        version: The version that answers now; empty while it is not ready.
        ready: Whether it answers now.
        is_default: Whether it cuts when a call names none.
        input_width_px: Width at which the network sees a photo; 0 while it is not ready.
        input_height_px: Height at which the network sees a photo; 0 while it is not ready.
    """

    name: str
    version: str
    ready: bool
    is_default: bool
    input_width_px: int
    input_height_px: int


def to_request(
    photo: Photo,
    *,
    background: str,
    square: bool,
    size: int | tuple[int, int] | None,
    fill: float | None,
    format: FormatName | None,  # noqa: A002  the callers' word for it
    quality: int | None,
    dpi: int | None,
    keep_metadata: bool,
    model: str | None,
) -> pb.RenderRequest:
    """Build the request of one render; `Client.render` documents the arguments."""
    request = pb.RenderRequest(
        photo=photo if isinstance(photo, bytes) else Path(photo).read_bytes(), model=model or ""
    )
    if background == "transparent":
        request.background.transparent.SetInParent()
    else:
        request.background.color = "#FFFFFF" if background == "white" else background
    if square or size is not None or fill is not None:
        width_px, height_px = size if isinstance(size, tuple) else (size or 0, size or 0)
        if square and width_px != height_px:
            raise ValueError(f"square contradicts a size of {width_px}x{height_px}")
        request.frame.width_px = width_px
        request.frame.height_px = height_px
        request.frame.fill = fill or 0.0
    if format is not None:
        if format not in _FORMATS:
            raise ValueError(f"format is {format!r}; known: {', '.join(_FORMATS)}")
        request.output.format = _FORMATS[format]
    request.output.quality = quality or 0
    request.output.resolution_dpi = dpi or 0
    request.output.keep_metadata = keep_metadata
    return request


def from_response(response: pb.RenderResponse) -> Packshot:
    """Read the answer of one render."""
    box, times = response.product, response.times
    return Packshot(
        picture=response.picture,
        format=_FORMAT_NAMES[response.format],
        media_type=response.media_type,
        width_px=response.width_px,
        height_px=response.height_px,
        product=Box(box.left_px, box.top_px, box.right_px, box.bottom_px),
        product_scale=response.product_scale,
        model=response.model,
        model_version=response.model_version,
        stages_s={
            field.name.removesuffix("_s"): getattr(times, field.name)
            for field in times.DESCRIPTOR.fields
        },
        notes=tuple(response.notes),
    )


def from_models(response: pb.ListModelsResponse) -> list[Model]:
    """Read the list of models."""
    return [
        Model(
            name=model.name,
            version=model.version,
            ready=model.ready,
            is_default=model.is_default,
            input_width_px=model.input_width_px,
            input_height_px=model.input_height_px,
        )
        for model in response.models
    ]
