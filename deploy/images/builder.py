"""Images built without a container engine: by buildah, on a base that debootstrap makes.

Both are Debian packages. buildah isolates a build's steps by chroot alone, so that it needs root
and nothing else: no engine, no cgroups, no network of its own. Everything lies in one folder.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from deploy.images.errors import ImageError

IMAGES: Final = ("gateway", "serving-cpu", "serving-gpu")
DOCKERFILES: Final = Path(__file__).parent
LOCAL_BASE: Final = "localhost/packshot-base"

# What Debian's slim images leave out as well.
_LEFT_OUT: Final = ("doc", "man", "info", "locale", "lintian", "groff", "linda")
_SUITE: Final = "trixie"
_LOCAL_CERTIFICATES: Final = Path("/usr/local/share/ca-certificates")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image.

    Attributes:
        step: The Dockerfile's step that made it.
        size_bytes: Its archive's length, not packed.
    """

    step: str
    size_bytes: int


class Builder:
    """Builds images into a store of its own.

    Args:
        folder: Where the store and the base lie; made if missing.
        driver: buildah's storage driver: `overlay`, or `vfs` where the kernel has no overlay, which
            copies the whole tree for every step.
    """

    def __init__(self, folder: Path, driver: str) -> None:
        for tool in ("buildah", "debootstrap"):
            if shutil.which(tool) is None:
                raise ImageError(
                    f"{tool} is not installed; Debian and Ubuntu have a package {tool}"
                )
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._command = (
            *("buildah", "--root", str(self._folder / "store")),
            *("--runroot", str(self._folder / "run"), "--storage-driver", driver),
        )

    def make_base(self) -> str:
        """Make a base as Debian's slim images are, unless it is there; returns its name."""
        if self._run("images", "--quiet", "--filter", f"reference={LOCAL_BASE}").strip():
            return LOCAL_BASE
        root = self._folder / "base"
        shutil.rmtree(root, ignore_errors=True)
        _run("debootstrap", "--variant=minbase", _SUITE, str(root))
        for name in _LEFT_OUT:
            shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
        for folder in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
            shutil.rmtree(root / folder, ignore_errors=True)
            (root / folder).mkdir()
        # A machine behind a proxy trusts its certificates; so do the build's steps then.
        if _LOCAL_CERTIFICATES.is_dir():
            certificates = root / _LOCAL_CERTIFICATES.relative_to("/")
            shutil.copytree(_LOCAL_CERTIFICATES, certificates, dirs_exist_ok=True)
        archive = self._folder / "base.tar"
        _run("tar", "-C", str(root), "-cf", str(archive), ".")
        container = self._run("from", "scratch").strip()
        self._run("add", "--quiet", container, str(archive), "/")
        self._run("commit", "--quiet", container, LOCAL_BASE)
        self._run("rm", container)
        shutil.rmtree(root)
        archive.unlink()
        return LOCAL_BASE

    def build(self, image: str, arguments: Sequence[str], log: Path) -> str:
        """Build an image.

        Args:
            image: One of `IMAGES`.
            arguments: The Dockerfile's build arguments, `NAME=VALUE`.
            log: Where the steps' output goes.

        Returns:
            Its name.

        Raises:
            ImageError: A step failed; the message has the log's last lines.
        """
        name = f"packshot-{image}"
        flags = [flag for argument in arguments for flag in ("--build-arg", argument)]
        with log.open("wb") as output:
            done = subprocess.run(
                [
                    *(*self._command, "build", "--isolation", "chroot", "--format", "docker"),
                    *("--layers", *flags, "--tag", name),
                    *("--file", str(DOCKERFILES / f"{image}.Dockerfile"), "."),
                ],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ImageError(f"{name} cannot be built; the end of {log}:\n{tail}")
        return name

    def layers(self, name: str) -> list[Layer]:
        """Weigh an image's layers, the base's first."""
        archive = self._folder / "weighed.tar"
        archive.unlink(missing_ok=True)
        # Of all forms of an image, the one whose layers are not packed.
        self._run("push", "--quiet", name, f"docker-archive:{archive}")
        with tarfile.open(archive) as files:
            (manifest,) = json.load(_member(files, "manifest.json"))
            history = json.load(_member(files, manifest["Config"]))["history"]
            sizes = [_size(files, layer) for layer in manifest["Layers"]]
        archive.unlink()
        steps = [each.get("created_by", "") for each in history if not each.get("empty_layer")]
        # The base may bring layers without a step of their own.
        steps = [""] * (len(sizes) - len(steps)) + steps
        return [Layer(step, size) for step, size in zip(steps, sizes, strict=True)]

    def config(self, name: str) -> dict[str, Any]:
        """Return what an image says of its process: Env, Entrypoint, Cmd, User, Healthcheck."""
        inspected = json.loads(self._run("inspect", "--type", "image", name))
        return dict(inspected["Docker"]["config"])

    def mount(self, name: str) -> tuple[str, Path]:
        """Lay an image's files out; returns the container, for `remove`, and its root folder."""
        container = self._run("from", name).strip()
        return container, Path(self._run("mount", container).strip())

    def remove(self, container: str) -> None:
        """Remove what `mount` has laid out."""
        self._run("umount", container)
        self._run("rm", container)

    def _run(self, *arguments: str) -> str:
        return _run(*self._command, *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ImageError(f"{' '.join(command)} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def _member(files: tarfile.TarFile, name: str) -> IO[bytes]:
    member = files.extractfile(name)
    if member is None:
        raise ImageError(f"the image's archive has no {name}")
    return member


def _size(files: tarfile.TarFile, name: str) -> int:
    member = files.getmember(name)
    if member.issym():
        # A layer that is there twice is a link to the first.
        member = files.getmember(member.linkname.removeprefix("../"))
    return member.size
