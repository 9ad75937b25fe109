"""The demo: start everything, render the photos, say where they lie and what each took."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.interrupt import check_interrupt
from deploy.local.photos import photos_in
from deploy.local.stack import page_address, running_aside
from packshot import Client, Packshot, PackshotError, RenderOptions, Scene
from tools.sheet import Tile, write_sheet

# What each photo becomes: name and arguments of `Client.render`.
_RENDERINGS: tuple[tuple[str, RenderOptions], ...] = (
    ("white", {"preset": "amazon-main"}),
    ("transparent", {"background": "transparent", "crop": True}),
    ("scene", {"background": Scene("marble"), "square": True}),
)


def run_demo(photos: Path, out: Path) -> int:
    """Render every photo of a folder on white and on transparency.

    Args:
        photos: The folder; reference mattes, `NAME.matte.png`, are left out.
        out: Where the pictures, a sheet of them all and the logs go.

    Returns:
        The exit status: 0 if everything was rendered, else 1.
    """
    start_s = time.monotonic()
    sources = photos_in(photos)
    if not sources:
        print(f"error: {photos} holds no photo")
        return 1
    with running_aside(out, web=True) as stack:
        print(f"the page to try photos on: {stack.page}", flush=True)
        columns = render_photos(stack.target, sources, out)
    if columns:
        # One column a photo, what became of it below.
        rows = [list(map(Tile, row)) for row in zip(*columns, strict=True)]
        write_sheet(rows, out / "sheet.jpg", tile_px=360, gap_px=12)
        print(f"all of them on one sheet: {out / 'sheet.jpg'}")
    rendered = f"{len(columns)} of {len(sources)} photos rendered"
    print(f"{rendered} to {out}, {time.monotonic() - start_s:.1f} s in all")
    print(
        f"the page is stopped again; `make serve` keeps it running, on {page_address(os.environ)}"
    )
    return 0 if len(columns) == len(sources) else 1


def render_photos(target: str, photos: Sequence[Path], out: Path) -> list[list[Path]]:
    """Have a gateway render photos in every way of the demo.

    Args:
        target: The gateway's address.
        photos: The photos.
        out: Where the pictures go; made if missing.

    Returns:
        Each photo with its pictures; those that failed, which is said, are left out.

    Raises:
        KeyboardInterrupt: A stop was asked for.
    """
    out.mkdir(parents=True, exist_ok=True)
    with Client(target) as client:
        return [column for path in photos if (column := _render(client, path, out))]


def _render(client: Client, photo: Path, out: Path) -> list[Path]:
    """Render one photo in every way; empty if it failed, which is said."""
    pictures = [photo]
    for name, arguments in _RENDERINGS:
        check_interrupt()
        start_s = time.monotonic()
        try:
            shot = client.render(photo, **arguments)
        except PackshotError as exc:
            print(f"{photo.name}: {exc}")
            return []
        path = out / f"{photo.stem}-{name}.{shot.format.replace('jpeg', 'jpg')}"
        shot.save(path)
        pictures.append(path)
        print(f"{path}  {_describe(shot, time.monotonic() - start_s)}", flush=True)
    return pictures


def _describe(shot: Packshot, took_s: float) -> str:
    stages = ", ".join(
        f"{stage} {seconds * 1000:.0f}"
        for stage, seconds in shot.stages_s.items()
        if stage != "total"
    )
    return f"{shot.width_px}x{shot.height_px}, {took_s * 1000:.0f} ms ({stages})"
