"""The contact sheet: every photo before every background and by every preset."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from deploy.local.interrupt import check_interrupt
from deploy.local.photos import photos_in
from deploy.local.stack import running_aside
from packshot import (
    BackgroundPicture,
    Blur,
    Client,
    LinearGradient,
    PackshotError,
    RadialGradient,
    RenderOptions,
    Scene,
)
from tools.sheet import Tile, write_sheet

_SIDE_PX = 800
_TILE_PX = 240
_JOBS = 2


def write_contact_sheet(photos: Path, out: Path) -> int:
    """Render every photo of a folder in every way and set the pictures side by side.

    Args:
        photos: The folder; reference mattes, `NAME.matte.png`, are left out.
        out: Where the pictures, the sheet and the logs go.

    Returns:
        The exit status: 0 if everything was rendered, else 1.
    """
    sources = photos_in(photos)
    if not sources:
        print(f"error: {photos} holds no photo")
        return 1
    start_s = time.monotonic()
    failed: list[str] = []
    with (
        running_aside(out) as stack,
        Client(stack.target) as client,
        ThreadPoolExecutor(_JOBS) as pool,
    ):
        ways = _ways(client)

        def render(job: tuple[Path, str]) -> Tile:
            check_interrupt()
            photo, name = job
            try:
                return _render(client, photo, name, ways[name], out)
            except PackshotError as exc:
                failed.append(f"{photo.name}, {name}: {exc}")
                return Tile(photo, f"{name}: failed")

        jobs = [(photo, name) for photo in sources for name in ways]
        with click.progressbar(pool.map(render, jobs), len(jobs), "rendering") as bar:
            tiles = list(bar)
    rows = [
        [Tile(photo, photo.stem), *tiles[number * len(ways) : (number + 1) * len(ways)]]
        for number, photo in enumerate(sources)
    ]
    write_sheet(rows, out / "contact-sheet.jpg", tile_px=_TILE_PX, gap_px=12, label_px=26)
    for line in failed:
        print(line)
    print(
        f"{len(jobs) - len(failed)} of {len(jobs)} pictures, {time.monotonic() - start_s:.1f} s "
        f"in all: {out / 'contact-sheet.jpg'}"
    )
    return 1 if failed else 0


def _ways(client: Client) -> dict[str, RenderOptions]:
    """Give each way a photo is rendered in, by name: the backgrounds, then the presets."""
    square: RenderOptions = {"square": True, "size": _SIDE_PX, "max_upscale": 4.0}
    backgrounds = {
        "white": None,
        "transparent": "transparent",
        "colour": "#B9D4CE",
        "linear gradient": LinearGradient(("#F7EDE2", "#F2C9B0", "#C98B8B")),
        "radial gradient": RadialGradient(("#FFFFFF", "#C9D3E0")),
        "own picture": BackgroundPicture(_lights()),
        "blurred photo": Blur(),
        "studio": Scene("studio"),
        "table": Scene("table"),
        "podium": Scene("podium"),
        "wood": Scene("wood"),
        "marble": Scene("marble"),
        "fabric": Scene("fabric"),
    }
    ways: dict[str, RenderOptions] = {
        name: {**square, "background": background} for name, background in backgrounds.items()
    }
    ways["drop shadow"] = {**square, "shadow": "drop"}
    for preset in client.presets():
        ways[preset.name] = {"preset": preset.name}
    return ways


def _render(client: Client, photo: Path, name: str, options: RenderOptions, out: Path) -> Tile:
    shot = client.render(photo, **options)
    suffix = shot.format.replace("jpeg", "jpg")
    path = out / f"{photo.stem}-{name.replace(' ', '-')}.{suffix}"
    shot.save(path)
    if shot.verdict is None:
        return Tile(path, name)
    failed = [check.rule for check in shot.verdict.checks if check.required and not check.passed]
    return Tile(path, f"{name}: {', '.join(failed) or 'complies'}")


def _lights() -> bytes:
    """Draw a picture to stand in for the caller's own: lights out of focus."""
    chance = np.random.default_rng(7)
    image = Image.new("RGB", (960, 640), (34, 30, 52))
    for _ in range(60):
        x, y, radius = chance.uniform((0, 0, 14), (960, 640, 60))
        layer = Image.new("L", image.size)
        ImageDraw.Draw(layer).ellipse((x - radius, y - radius, x + radius, y + radius), fill=90)
        color = tuple(int(channel) for channel in chance.integers((150, 90, 60), (256, 210, 180)))
        image.paste(color, mask=layer)
    buffer = BytesIO()
    image.filter(ImageFilter.GaussianBlur(5)).save(buffer, "PNG")
    return buffer.getvalue()
