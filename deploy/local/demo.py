"""The demo: start everything, render the photos, say where they lie and what each took."""

import os
import time
from pathlib import Path
from typing import Any

from deploy.local.sheet import write_sheet
from deploy.local.stack import free_ports, running
from packshot import Client, Packshot, PackshotError

_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
# What each photo becomes: name and arguments of `Client.render`.
_RENDERINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("white", {"square": True}),
    ("transparent", {"background": "transparent"}),
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
    sources = [
        path
        for path in sorted(photos.iterdir())
        if path.suffix.lower() in _PHOTO_SUFFIXES and not path.stem.endswith(".matte")
    ]
    if not sources:
        print(f"error: {photos} holds no photo")
        return 1
    out.mkdir(parents=True, exist_ok=True)
    print(f"starting Triton and the gateway (logs in {out})", flush=True)
    # Ports of its own, so that the demo runs beside a service that is already there.
    gateway, metrics, *triton = free_ports(5)
    environ = os.environ | {
        "PACKSHOT_PORT": str(gateway),
        "PACKSHOT_METRICS_PORT": str(metrics),
        "PACKSHOT_TRITON": f"127.0.0.1:{triton[1]}",
        "PACKSHOT_TRITON_HTTP_PORT": str(triton[0]),
        "PACKSHOT_TRITON_GRPC_PORT": str(triton[1]),
        "PACKSHOT_TRITON_METRICS_PORT": str(triton[2]),
    }
    with running(environ, f"127.0.0.1:{gateway}", log_folder=out) as stack:
        stack.wait_until_ready()
        print(f"ready after {time.monotonic() - start_s:.1f} s", flush=True)
        with Client(stack.target) as client:
            columns = [column for path in sources if (column := _render(client, path, out))]
    if columns:
        write_sheet(columns, out / "sheet.jpg")
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
