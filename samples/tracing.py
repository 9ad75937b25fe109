"""Scenes handed to Mitsuba 3: the light that reaches the film, and who stands before it.

W. Jakob et al., "Mitsuba 3 renderer", 2022, https://mitsuba-renderer.org.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mitsuba as mi
import numpy as np

from samples.textures import Bitmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from samples.meshes import Mesh
    from samples.stage import Material, Part, Scene, Softbox

SAMPLES_PER_PASS = 16
# A pixel whose sixteen samples average above this met a light by a rare path: it would stay a dot.
BRIGHTEST = 6.0


def set_variant(name: str) -> None:
    """Choose how Mitsuba computes, before anything else here is called.

    Args:
        name: `scalar_rgb`, which runs anywhere, or `llvm_ad_rgb`.
    """
    mi.set_variant(name)


def _bitmap(bitmap: Bitmap) -> Material:
    pixels = bitmap.pixels
    raw = pixels.dtype != np.uint8
    scale = mi.ScalarTransform4f().scale([*bitmap.repeat, 1.0])
    image = mi.Bitmap(np.ascontiguousarray(pixels if pixels.ndim > 2 else pixels[..., None]))  # noqa: PLR2004
    return {"type": "bitmap", "bitmap": image, "raw": raw, "to_uv": scale, "wrap_mode": "repeat"}


def _resolved(material: Material) -> Material:
    out: Material = {}
    for key, value in material.items():
        if isinstance(value, Bitmap):
            out[key] = _bitmap(value)
        else:
            out[key] = _resolved(value) if isinstance(value, dict) else value
    return out


def _shape(mesh: Mesh, material: Material) -> Any:
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(_resolved(material))
    shape = mi.Mesh(
        "part",
        vertex_count=len(mesh.vertices),
        face_count=len(mesh.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=properties,
    )
    parameters = mi.traverse(shape)
    parameters["vertex_positions"] = mesh.vertices.astype(np.float32).ravel()
    parameters["vertex_normals"] = mesh.normals().astype(np.float32).ravel()
    parameters["vertex_texcoords"] = mesh.uv.astype(np.float32).ravel()
    parameters["faces"] = mesh.faces.astype(np.uint32).ravel()
    parameters.update()
    return shape


def _lamp(lamp: Softbox) -> Material:
    to_world = mi.ScalarTransform4f().look_at(
        origin=list(lamp.position), target=list(lamp.target), up=[0, 0, 1]
    ) @ mi.ScalarTransform4f().scale([lamp.width / 2, lamp.height / 2, 1])
    radiance = {"type": "rgb", "value": list(lamp.radiance)}
    return {
        "type": "rectangle",
        "to_world": to_world,
        "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}},
        "emitter": {"type": "area", "radiance": radiance},
    }


def _sensor(scene: Scene, width: int, height: int) -> Material:
    camera = scene.camera
    position, target = np.array(camera.position), np.array(camera.target)
    forward = (target - position) / np.linalg.norm(target - position)
    return {
        "type": "thinlens",
        "fov": camera.view_degrees,
        "fov_axis": "x",
        "aperture_radius": camera.aperture,
        "focus_distance": float((np.array(camera.focus) - position) @ forward),
        "near_clip": 1.0,
        "far_clip": 5000.0,
        "to_world": mi.ScalarTransform4f().look_at(
            origin=position.tolist(), target=target.tolist(), up=[0, 0, 1]
        ),
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "pixel_format": "rgb",
            "component_format": "float32",
            "rfilter": {"type": "gaussian", "stddev": 0.45},
        },
        "sampler": {"type": "multijitter"},
    }


def _mean(loaded: Any, spp: int, seed: int, channels: int) -> NDArray[np.float64]:
    """Average of passes that share nothing but the scene: (H, W, channels)."""
    passes = max(1, round(spp / SAMPLES_PER_PASS))
    samples = min(spp, SAMPLES_PER_PASS)
    total: NDArray[np.float64] | None = None
    for number in range(passes):
        film = np.array(mi.render(loaded, spp=samples, seed=seed + number))[..., :channels]
        film = np.minimum(film.astype(np.float64), BRIGHTEST)
        total = film if total is None else total + film
    if total is None:
        raise ValueError("at least one pass is needed")
    return total / passes


def trace_photo(scene: Scene, size: tuple[int, int], spp: int, seed: int) -> NDArray[np.float64]:
    """The light that falls on the film.

    Args:
        scene: What to photograph.
        size: Width and height of the film, px.
        spp: Light paths per pixel.
        seed: Of the light paths.

    Returns:
        (H, W, 3) float64, linear sRGB.
    """
    world: Material = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 7, "rr_depth": 5},
        "sensor": _sensor(scene, *size),
        "sky": {
            "type": "envmap",
            "bitmap": mi.Bitmap(scene.sky),
            "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90),
        },
    }
    for number, part in enumerate((*scene.product, *scene.surroundings)):
        world[f"part{number}"] = _shape(part.mesh, part.material)
    for number, lamp in enumerate(scene.lights):
        world[f"lamp{number}"] = _lamp(lamp)
    return _mean(mi.load_dict(world), spp, seed, 3)


def trace_matte(scene: Scene, size: tuple[int, int], spp: int, seed: int) -> NDArray[np.float64]:
    """The share of each pixel that the product covers, through the same lens and filter.

    Args:
        scene: What to photograph.
        size: Width and height of the film, px.
        spp: Camera rays per pixel.
        seed: Of the camera rays.

    Returns:
        (H, W) float64 in [0, 1].
    """

    def painted(parts: tuple[Part, ...], reflectance: float) -> list[Any]:
        paint: Material = {
            "type": "twosided",
            "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": reflectance}},
        }
        return [_shape(part.mesh, paint) for part in parts]

    # With a white product in a black world the mean albedo at the first hit is the coverage.
    world: Material = {
        "type": "scene",
        "integrator": {"type": "aov", "aovs": "coverage:albedo"},
        "sensor": _sensor(scene, *size),
    }
    shapes = [*painted(scene.product, 1.0), *painted(scene.surroundings, 0.0)]
    world.update({f"part{number}": shape for number, shape in enumerate(shapes)})
    coverage: NDArray[np.float64] = _mean(mi.load_dict(world), spp, seed, 1)[..., 0]
    return np.clip(coverage, 0, 1)
