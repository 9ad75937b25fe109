"""The demo: start everything, render the photos, say where they lie and what each took."""

import time
from pathlib import Path

from deploy.local.sheet import Tile, photos_in, write_sheet
from deploy.local.stack import running_aside
from packshot import Client, Packshot, PackshotError, RenderOptions, Scene

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
    with running_aside(out) as stack, Client(stack.target) as client:
        columns = [column for path in sources if (column := _render(client, path, out))]
    if columns:
        write_sheet([list(map(Tile, column)) for column in columns], out / "sheet.jpg")
        print(f"all of them on one sheet: {out / 'sheet.jpg'}")
    rendered = f"{len(columns)} of {len(sources)} photos rendered"
    print(f"{rendered} to {out}, {time.monotonic() - start_s:.1f} s in all")
    return 0 if len(columns) == len(sources) else 1


def _render(client: Client, photo: Path, out: Path) -> list[Path]:
    """Render one photo in every way; empty if it failed, which is said."""
    pictures = [photo]
    for name, arguments in _RENDERINGS:
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
