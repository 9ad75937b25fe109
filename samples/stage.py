"""What a sample photo shows, as plain data: parts, lights and a camera, before any renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from samples.meshes import Mesh
    from samples.textures import Bitmap

# The renderer's own description of a surface, in which a `Bitmap` may stand for a texture.
Material = dict[str, object]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """A mesh and what it is made of."""

    mesh: Mesh
    material: Material


@dataclass(frozen=True)
class Softbox:
    """A rectangular lamp.

    Attributes:
        position: Its centre, cm.
        target: The point that it faces, cm.
        width: Along the horizon, cm.
        height: Across `width`, cm.
        radiance: Red, green and blue; 1 is white in the photo at exposure 1.
    """

    position: Point
    target: Point
    width: float
    height: float
    radiance: Point


@dataclass(frozen=True)
class Camera:
    """Where the photographer stands.

    Attributes:
        position: The lens, cm.
        target: The point in the middle of the frame, cm.
        view_degrees: Angle of view across the frame's width.
        focus: A point in focus, cm.
        aperture: Radius of the lens opening, cm; larger blurs the background more.
    """

    position: Point
    target: Point
    view_degrees: float
    focus: Point
    aperture: float


@dataclass(frozen=True)
class Scene:
    """One sample photo before it is taken.

    Attributes:
        size: Width and height of the photo as a viewer sees it, px.
        camera: The camera.
        product: Parts that belong to the product; the matte is exactly these.
        surroundings: All other parts.
        lights: Lamps, out of the frame.
        sky: (H, W, 3) float32 radiance from all around; row 0 is overhead.
        exposure: Factor from radiance to photo.
        spp: Light paths per pixel that leave no more noise than a camera does; a large photo, which
            is looked at from further away, needs fewer.
        rotated: Store the photo turned, with EXIF orientation 6, as a phone held upright does.
    """

    size: tuple[int, int]
    camera: Camera
    product: tuple[Part, ...]
    surroundings: tuple[Part, ...]
    lights: tuple[Softbox, ...]
    sky: NDArray[np.float32]
    exposure: float = 1.0
    spp: int = 48
    rotated: bool = False


def rgb(colour: str) -> Material:
    """A plain colour "#rrggbb" (sRGB) for a material."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    return {"type": "rgb", "value": linear.tolist()}


def surface(
    colour: str | Bitmap,
    *,
    roughness: float = 0.5,
    metallic: float = 0.0,
    coat: float = 0.0,
    bump: Bitmap | None = None,
    depth: float = 0.0,
) -> Material:
    """The material of an opaque part.

    Args:
        colour: "#rrggbb" or a bitmap.
        roughness: 0 polished to 1 dull.
        metallic: 0 for paint, plastic, wood and stone, 1 for metal.
        coat: Strength of a clear glossy coat, 0 to 1.
        bump: Heights.
        depth: How far `bump` rises, cm.
    """
    base: Material = {
        "type": "principled",
        "base_color": rgb(colour) if isinstance(colour, str) else colour,
        "roughness": roughness,
        "metallic": metallic,
        "specular": 0.5,
        "clearcoat": coat,
        "clearcoat_gloss": 0.95,
    }
    if bump is None:
        return {"type": "twosided", "bsdf": base}
    return {
        "type": "twosided",
        "bsdf": {"type": "bumpmap", "heights": bump, "scale": depth, "bsdf": base},
    }


def room(
    above: Point, below: Point, windows: tuple[tuple[float, float, float, float, Point], ...] = ()
) -> NDArray[np.float32]:
    """A sky for reflections and fill light: a gradient with soft-edged windows.

    Args:
        above: Radiance overhead.
        below: Radiance underfoot.
        windows: Rows of azimuth and elevation of the middle, width and height (all degrees) and
            radiance. Azimuth 0 is -y, where the camera usually stands, 90 is +x.
    """
    rows, columns = 256, 512
    elevation = np.linspace(90, -90, rows)[:, None]
    azimuth = (np.arange(columns) + 0.5) / columns * 360 - 180
    mix = np.clip(elevation / 180 + 0.5, 0, 1)[..., None]
    sky = np.broadcast_to(mix * np.array(above) + (1 - mix) * np.array(below), (rows, columns, 3))
    sky = sky.copy()
    for where, height, width, tall, radiance in windows:
        across = np.abs((azimuth - where + 180) % 360 - 180)[None, :]
        inside = np.clip((width / 2 - across) / 3, 0, 1) * np.clip(
            (tall / 2 - np.abs(elevation - height)) / 3, 0, 1
        )
        sky += inside[..., None] * np.array(radiance)
    return sky.astype(np.float32)
