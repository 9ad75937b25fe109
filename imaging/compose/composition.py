"""What a packshot shall look like: the vocabulary of the steps that compose it, plain data."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from imaging.framing.frame import Frame
from imaging.types import WHITE, Color, Photo


class Point(NamedTuple):
    """A position in free space, each way from 0 (left, top) to 1 (right, bottom)."""

    x: float
    y: float


MIDDLE = Point(0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Transparent:
    """Nothing behind the product."""


@dataclass(frozen=True, slots=True)
class LinearGradient:
    """Colours that follow each other along a direction, at even distances.

    Attributes:
        colors: 2 or more.
        angle_deg: The direction, clockwise from upwards: 0 upwards, 90 to the right.
    """

    colors: tuple[Color, ...]
    angle_deg: float = 180.0


@dataclass(frozen=True, slots=True)
class RadialGradient:
    """Colours that follow each other outwards, at even distances.

    Attributes:
        colors: 2 or more.
        center: Where the first is; the last is reached in the corner that is farthest away.
    """

    colors: tuple[Color, ...]
    center: Point = MIDDLE


class Fit(Enum):
    """How a picture meets a frame of another shape."""

    FILL = "fill"
    """It covers the frame; what hangs over is cut off."""
    FIT = "fit"
    """All of it is seen; a colour fills the rest."""
    STRETCH = "stretch"
    """Both sides match, whatever that does to its proportions."""


@dataclass(frozen=True, slots=True)
class BackgroundPicture:
    """A picture of the caller's.

    Attributes:
        photo: The picture, decoded.
        fit: How it meets the frame.
        position: Where it lies if its shape is not the frame's.
        color: What is beside it if it is fitted, and behind it if it is transparent.
    """

    photo: Photo
    fit: Fit = Fit.FILL
    position: Point = MIDDLE
    color: Color = WHITE


@dataclass(frozen=True, slots=True)
class Blur:
    """The photo's own background, blurred.

    Attributes:
        strength: Standard deviation of the blur as a share of the picture's longer side, above 0.
    """

    strength: float = 0.02


class SceneKind(Enum):
    """The rendered scenes."""

    STUDIO = "studio"
    TABLE = "table"
    PODIUM = "podium"
    WOOD = "wood"
    MARBLE = "marble"
    FABRIC = "fabric"


@dataclass(frozen=True, slots=True)
class Scene:
    """A rendered scene for the product to stand in.

    Attributes:
        kind: Which one.
        seed: Decides what is left to chance; equal seeds give equal scenes.
        color: Its main colour; None: its own.
    """

    kind: SceneKind = SceneKind.STUDIO
    seed: int = 0
    color: Color | None = None


Background: TypeAlias = (
    Transparent | Color | LinearGradient | RadialGradient | BackgroundPicture | Blur | Scene
)


class ShadowKind(Enum):
    """Kinds of shadow."""

    NONE = "none"
    CONTACT = "contact"
    """Where the product stands: dark beneath it, soft away from it."""
    DROP = "drop"
    """Its outline, soft and moved away from the light."""


DEFAULT_LIGHT_ANGLE_DEG = -35.0


@dataclass(frozen=True, slots=True)
class Staging:
    """How the product sits before its background; None: what suits the background.

    Attributes:
        shadow: Its shadow.
        shadow_opacity: How dark that is at its darkest, 0 to 1.
        light_angle_deg: Where the light comes from, clockwise from straight above, -80 to 80.
        reflection: How strong the mirror image below the product is, 0 to 1.
        color_match: How far the product's colours move towards the background's, 0 to 1.
    """

    shadow: ShadowKind | None = None
    shadow_opacity: float | None = None
    light_angle_deg: float = DEFAULT_LIGHT_ANGLE_DEG
    reflection: float | None = None
    color_match: float = 0.0


class Content(Enum):
    """What the file shows."""

    PICTURE = "picture"
    """The product on its background."""
    MASK = "mask"
    """The matte as a grey picture, white the product."""
    ALPHA = "alpha"
    """The matte as the alpha channel of a black picture."""
    LAYERS = "layers"
    """The product's own colours, opaque, and the matte: two files."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a packshot shall look like.

    Attributes:
        background: What stands behind the product.
        frame: The frame for the product; None keeps the photo's.
        staging: How the product sits before its background.
        content: What the file shows.
        clears_border: Whether haze outside of the product fades out towards the frame's border.
    """

    background: Background = WHITE
    frame: Frame | None = None
    staging: Staging = field(default_factory=Staging)
    content: Content = Content.PICTURE
    clears_border: bool = True
