"""The images tried: the demo's photos rendered by what was built, under the image's own terms."""

import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.images.builder import Builder
from deploy.images.contained import Contained, Image
from deploy.images.errors import ImageError
from deploy.local.demo import render_photos
from deploy.local.photos import photos_in
from packshot import Client, InvalidRequestError
from processes.ready import free_ports

# What an operator mounts with a read-only root, as the compose file and the chart do.
WRITABLE: Final = {"gateway": ("/tmp", "/var/cache/numba"), "serving-cpu": ("/tmp",)}  # noqa: S108
_READY_S: Final = 240.0
_STOP_S: Final = 60.0
_POLL_S: Final = 0.05
_USAGE: Final = 2
# The first bytes of a HEIC file, by which it is known.
_HEIC: Final = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def try_images(builder: Builder, photos: Path, out: Path) -> list[str]:
    """Run the gateway, the face and Triton from their images, render photos, and stop them.

    Args:
        builder: Has the images `packshot-gateway` and `packshot-serving-cpu`.
        photos: A folder of photos.
        out: Where pictures and logs go.

    Returns:
        What was measured, a line each.

    Raises:
        ImageError: Something does not do what it must.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (
        _laid_out(builder, "gateway", has_shell=False) as gateway,
        # Triton starts the process of a model by bash.
        _laid_out(builder, "serving-cpu", has_shell=True) as serving,
    ):
        return _try(gateway, serving, photos_in(photos), out)


def _try(gateway: Image, serving: Image, photos: Sequence[Path], out: Path) -> list[str]:
    said = []
    refused = _start(gateway, {}, (), out / "refused.log")
    if (status := refused.wait(_READY_S)) != _USAGE:
        raise ImageError(f"a gateway without identities ended with {status}, not {_USAGE}")
    said.append("a gateway that other machines reach, and nothing says who they are: refused")

    http, grpc, triton_metrics, port, metrics, web_port = map(str, free_ports(6))
    triton_settings = {
        "PACKSHOT_TRITON_HTTP_PORT": http,
        "PACKSHOT_TRITON_GRPC_PORT": grpc,
        "PACKSHOT_TRITON_METRICS_PORT": triton_metrics,
    }
    gateway_settings = {
        "PACKSHOT_ALLOW_ANONYMOUS": "yes",
        "PACKSHOT_PORT": port,
        "PACKSHOT_METRICS_PORT": metrics,
        "PACKSHOT_TRITON": f"127.0.0.1:{grpc}",
    }
    web_settings = {
        "PACKSHOT_WEB_ALLOW_ANONYMOUS": "yes",
        "PACKSHOT_WEB_PORT": web_port,
        "PACKSHOT_WEB_GATEWAY": f"127.0.0.1:{port}",
    }
    running: list[Contained] = []
    try:
        for name, image, settings, arguments, probe in (
            ("serving", serving, triton_settings, (), ()),
            ("gateway", gateway, gateway_settings, (), ("PACKSHOT_METRICS_PORT", "/readyz")),
            ("web", gateway, web_settings, ("web",), ("PACKSHOT_WEB_PORT", "/readyz")),
        ):
            start_s = time.monotonic()
            running.append(_start(image, settings, arguments, out / f"{name}.log"))
            _wait_until_ready(running[-1], image, settings, probe, out / f"{name}-probe.log")
            said.append(f"{name}: ready after {time.monotonic() - start_s:.1f} s")
        start_s = time.monotonic()
        rendered = render_photos(f"127.0.0.1:{port}", photos, out)
        if len(rendered) != len(photos):
            raise ImageError(f"{len(rendered)} of {len(photos)} photos were rendered")
        said.append(f"{len(photos)} photos, 3 renders each: {time.monotonic() - start_s:.1f} s")
        said.append(f"a HEIC photo: {_heic(f'127.0.0.1:{port}')}")
        with urllib.request.urlopen(f"http://127.0.0.1:{web_port}/", timeout=10) as page:
            said.append(f"the page: {page.status}, {len(page.read())} bytes")
        for name, process in zip(("serving", "gateway", "web"), running, strict=True):
            if process.status is not None:
                raise ImageError(f"{name} has ended with {process.status}; see {process.log}")
        for name, process in reversed(
            list(zip(("serving", "gateway", "web"), running, strict=True))
        ):
            status, seconds = process.stop(_STOP_S)
            if status:
                raise ImageError(f"{name} ended with {status} after SIGTERM; see {process.log}")
            said.append(f"{name}: status 0, {seconds:.1f} s after SIGTERM")
    finally:
        for process in running:
            process.kill()
    return said


def _start(
    image: Image, settings: Mapping[str, str], arguments: Sequence[str], log: Path
) -> Contained:
    log.unlink(missing_ok=True)
    return Contained(image, image.command(arguments), image.environment(settings), log)


def _wait_until_ready(
    process: Contained,
    image: Image,
    settings: Mapping[str, str],
    probe: Sequence[str],
    log: Path,
) -> None:
    """Ask by the image's own health check, or by its program with other arguments."""
    kind, *check = image.config["Healthcheck"]["Test"]
    if kind != "CMD":
        raise ImageError(f"the health check is a {kind}, which needs a shell")
    if probe:
        check[-len(probe) :] = probe
    give_up_s = time.monotonic() + _READY_S
    while time.monotonic() < give_up_s:
        if process.status is not None:
            raise ImageError(f"it ended with {process.status}; see {process.log}")
        if Contained(image, check, image.environment(settings), log).wait(_READY_S) == 0:
            return
        time.sleep(_POLL_S)
    raise ImageError(f"it is not ready after {_READY_S:g} s; see {process.log} and {log}")


def _heic(target: str) -> str:
    with Client(target) as client:
        try:
            client.render(_HEIC)
        except InvalidRequestError as exc:
            if exc.reason == "UNSUPPORTED_PHOTO":
                return f"{exc.reason}, {exc}"
            raise ImageError(f"a HEIC photo is refused with {exc.reason}: {exc}") from exc
    raise ImageError("a HEIC photo is not refused")


@contextmanager
def _laid_out(builder: Builder, name: str, *, has_shell: bool) -> Iterator[Image]:
    image = f"packshot-{name}"
    container, root = builder.mount(image)
    try:
        yield Image(root, builder.config(image), WRITABLE[name], has_shell)
    finally:
        builder.remove(container)


def as_table(builder: Builder, names: Sequence[str]) -> str:
    """Return what each layer of images weighs, as a Markdown table."""
    rows = ["| image | layer | MB |", "|---|---|---|"]
    for name in names:
        layers = builder.layers(name)
        rows += [
            f"| {name} | {_shown(layer.step)} | {layer.size_bytes / 1e6:.0f} |" for layer in layers
        ]
        total = sum(layer.size_bytes for layer in layers)
        rows.append(f"| {name} | **all** | **{total / 1e6:.0f}** |")
    return "\n".join(rows)


def _shown(step: str) -> str:
    # Before a step's own words stand its arguments and the shell.
    words = step.rpartition("/bin/sh -c ")[2].removeprefix("#(nop) ").split()
    if not words or words == ["/bin/sh"]:
        return "base"
    if words[0] in ("COPY", "ADD"):
        return f"`COPY … {words[-1]}`" if words[-1].startswith("/") else "base"
    return f"`{' '.join(words)[:60]}…`"
