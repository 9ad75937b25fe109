"""What a packshot shall look like, in the callers' words."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Literal, Protocol, TypeAlias, TypedDict


class BinaryFile(Protocol):
    """An open binary file, such as `open(path, "rb")`, `io.BytesIO` or `sys.stdin.buffer`."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most so many bytes; -1: all."""
        ...


Photo: TypeAlias = bytes | bytearray | memoryview | str | PathLike[str] | BinaryFile
Position: TypeAlias = str | tuple[float, float]
Region: TypeAlias = str | tuple[int | str, int | str, int | str, int | str]
FormatName: TypeAlias = Literal["png", "jpeg", "webp", "avif"]
ContentName: TypeAlias = Literal["picture", "mask", "alpha", "layers"]
CutName: TypeAlias = Literal["keep", "refine", "auto"]
ShadowName: TypeAlias = Literal["none", "contact", "drop"]
PriorityName: TypeAlias = Literal["interactive", "bulk"]
FitName: TypeAlias = Literal["fill", "fit", "stretch"]
SceneName: TypeAlias = Literal["studio", "table", "podium", "wood", "marble", "fabric"]

# The format that a file's suffix names.
FORMAT_OF: dict[str, FormatName] = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "jpeg"),
    ".png": "png",
    ".webp": "webp",
    ".avif": "avif",
}
# The suffixes of pictures, those of formats that photos come in and packshots do not included.
PICTURE_SUFFIXES = {*FORMAT_OF, ".heic", ".heif", ".hif", ".tif", ".tiff", ".bmp", ".gif"}


@dataclass(frozen=True, slots=True)
class LinearGradient:
    """Colours that run into each other along a direction, at even distances.

    Attributes:
        colors: 2 to 8 of them, each "#RRGGBB" or "white".
        angle: The direction in which they follow, degrees clockwise from upwards: 0 upwards, 90 to
            the right, 180 downwards.
    """

    colors: Sequence[str]
    angle: float = 180.0


@dataclass(frozen=True, slots=True)
class RadialGradient:
    """Colours that run into each other outwards, at even distances.

    Attributes:
        colors: 2 to 8 of them, each "#RRGGBB" or "white"; the last is reached in the corner that is
            farthest away.
        center: Where the first is: "center", "25% 75%" or (25, 75), percent of the frame from its
            left and its top, 0 to 100 each.
    """

    colors: Sequence[str]
    center: Position = "center"


@dataclass(frozen=True, slots=True)
class BackgroundPicture:
    """A picture to stand behind the product, under the same limits as a photo.

    Attributes:
        picture: The file's bytes, its path, or the file itself, open in binary mode.
        fit: How it meets a frame of another shape: "fill" covers the frame, and what hangs over is
            cut off; "fit" shows all of it beside a colour; "stretch" gives up its proportions.
        position: Where it lies in what space it has: "center", "25% 75%" or (25, 75), percent from
            left (0) to right (100) and from top to bottom.
        color: What is beside a picture that is fitted and behind one that is transparent: "white"
            or "#RRGGBB".
    """

    picture: Photo
    fit: FitName = "fill"
    position: Position = "center"
    color: str = "white"


@dataclass(frozen=True, slots=True)
class Blur:
    """The photo's own background, blurred.

    Attributes:
        strength: Standard deviation of the blur, percent of the picture's longer side, 0.1 to 20.
    """

    strength: float = 2.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A rendered scene for the product to stand in.

    Attributes:
        kind: "studio" (a seamless paper sweep), "table", "podium", "wood", "marble" or "fabric".
        seed: Decides what is left to chance, such as the grain, 0 to 4294967295; equal seeds give
            equal scenes.
        color: Its main colour, "white" or "#RRGGBB"; None: the scene's own.
    """

    kind: SceneName = "studio"
    seed: int = 0
    color: str | None = None


Background: TypeAlias = str | LinearGradient | RadialGradient | BackgroundPicture | Blur | Scene


class RenderOptions(TypedDict, total=False):
    """The options of one render; all may be left out.

    An option that is left out, or None, is up to the preset if there is one, else to the service.
    The service checks the ranges.

    Attributes:
        background: What stands behind the product: "white", "transparent", "blur", a colour as
            "#RRGGBB", a `LinearGradient`, `RadialGradient`, `BackgroundPicture`, `Blur` or `Scene`.
            Left out: white.
        preset: Name of a marketplace's preset, from `presets`. It fills in what background, frame
            and file are not told, and the packshot then holds a verdict on the file.
        square: Whether the frame is a square with the product in its middle, filling 0.85 of it;
            `crop`, `margin`, `scale` or a preset may say otherwise about the product's size.
        size: The frame's size in pixels, 16 to 10000 each way: a number for a square, or width and
            height, of which one may be None or 0 to follow from `aspect`, else from what is framed.
            Left out: what is framed keeps the photo's scale.
        aspect: The frame's width over its height, 0.1 to 10; not together with both sides.
        crop: Whether everything around the product, margins aside, is cut off. With `crop`,
            `margin` or `scale` the frame is built around the product; with none of them it shows
            the whole photo.
        margin: The least space between product and frame: pixels as a number, or a text of one
            length, of two (above and below, left and right) or of four (above, right, below, left):
            "30px", "5% 30px". Percent, 0 to 500, are of the product's own width or height; pixels,
            0 to 5000, of the finished picture.
        scale: Share of the frame that the product takes along the tighter side, 0.05 to 1.
        position: Where the product goes in what space it has: "center", or percent from left (0) to
            right (100) and from top to bottom, as (25, 75), "25% 75%", or "25%" for both. Left out,
            or "original": where the photo has it, or the middle of a frame that is built around the
            product.
        max_upscale: Largest factor by which the photo may be enlarged, 1 to 8. Left out: 2.
        max_pixels: Most pixels of the picture, width times height, 256 or more; a larger
            frame is made smaller in its own proportions. Left out: the service's bound.
        shadow: "none"; "contact", where the product stands; or "drop", as if it hung before a wall.
            Left out: contact in a scene, none elsewhere.
        shadow_opacity: How dark the shadow is at its darkest, 0 to 1. Left out: what suits it.
        light_angle: Where the light comes from, degrees clockwise from straight above, -80 to 80.
            Left out: -35, from the upper left.
        reflection: How strong the product's mirror image below it is, 0 to 1. Left out: what suits
            the scene, 0 elsewhere.
        color_match: How far the product's colour and brightness move towards the background's, 0 to
            1. Left out: 0.
        cut: Where the cut comes from: "keep", the photo's own transparency as it is, no model
            being asked; "refine", the model, within that transparency; or "auto", the photo's
            own where it is a cut, else the model. Left out: auto.
        region: Where in the photo the product is: left, top, width and height of a box, as (10, 20,
            300, 400), ("25%", 0, "50%", "100%") or "10,20,300,400", in pixels of the upright photo
            or percent of its sides; left and width of one unit, and top and height. What lies
            outside goes, and the model looks at the box and a margin around it. Left out: anywhere.
        keep_mask: The file of a PNG picture, stretched to the upright photo: what it marks stays
            product, whatever the model says. A pixel is marked where its alpha, or in an opaque
            picture its grey, is 128 or more. Bytes, path or open file, as a photo. Left out: none.
        erase_mask: As `keep_mask`: what it marks goes, also what `keep_mask` marks. Left out: none.
        clean: Whether stray islands and small holes of the cut are cleaned. Left out: True.
        content: What the file shows: "picture"; "mask", the matte in grey, white the product; or
            "alpha", the matte as the alpha channel of a black picture; "layers", the product's
            own colours, opaque, with the matte beside them in `Packshot.matte`. Left out: the
            picture.
        format: The file's format: "png", "jpeg", "webp" or "avif". Left out: PNG if it needs an
            alpha channel or holds a mask, else JPEG.
        quality: Of JPEG, WebP and AVIF, 1 to 100. Left out: 90.
        dpi: The resolution that the file states, pixels per inch, 1 to 2400. Left out: 72.
        keep_metadata: Whether the photo's EXIF data, place and time included, go into the file.
            Left out: False.
        model: Name of a model, from `models`. Left out: the service's default model.
        priority: Who waits for the packshot: "interactive" goes before "bulk" where there is a
            queue. Left out: interactive.
        idempotency_key: Name of this one render, 1 to 128 visible ASCII characters, no spaces. The
            service keeps it with the charge for a day: the same render with the same key is not
            charged again, another one is refused. With `render_many` each photo has a key of its
            own, this one with a hyphen and its index. Left out: a client that repeats calls
            makes one up for each render, so that what it repeats is charged once.
    """

    background: Background | None
    preset: str | None
    square: bool | None
    size: int | tuple[int | None, int | None] | None
    aspect: float | None
    crop: bool | None
    margin: int | str | None
    scale: float | None
    position: Position | None
    max_upscale: float | None
    max_pixels: int | None
    shadow: ShadowName | None
    shadow_opacity: float | None
    light_angle: float | None
    reflection: float | None
    color_match: float | None
    cut: CutName | None
    region: Region | None
    keep_mask: Photo | None
    erase_mask: Photo | None
    clean: bool | None
    content: ContentName | None
    format: FormatName | None
    quality: int | None
    dpi: int | None
    keep_metadata: bool | None
    model: str | None
    priority: PriorityName | None
    idempotency_key: str | None
