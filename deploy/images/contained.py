"""A process in an image's files, as a container engine would run it, but for the network.

Namespaces of its own for mounts and processes; the root read-only, with the few folders that may be
written to; the image's user, environment and command and nothing else. It is process 1 there, so
that a signal reaches it as in a container. The network is this machine's.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.images.errors import ImageError

_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_SHELLS: Final = ("dash", "bash", "sh")
_FOUND_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Image:
    """An image's files and what it says of its process.

    Attributes:
        root: The folder of its files.
        config: Env, Entrypoint, Cmd, User and Healthcheck as the image has them.
        writable: Folders that a volume is mounted at, such as `/tmp`.
        has_shell: Whether shells may be run; where not, they are hidden.
    """

    root: Path
    config: Mapping[str, Any]
    writable: Sequence[str]
    has_shell: bool

    def environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        """Return the image's environment with changes."""
        return {**dict(each.split("=", 1) for each in self.config["Env"]), **changes}

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the entry point with arguments; none: the image's own."""
        return [*self.config["Entrypoint"], *(arguments or self.config["Cmd"])]


class Contained:
    """A process that runs in an image.

    Args:
        image: The image.
        command: Its command line, found by the image's `PATH`.
        environment: Its whole environment.
        log: Where its output goes.
    """

    def __init__(
        self, image: Image, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"),
                    *("/bin/sh", "-c", _script(image, command, environment)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int:
        """Wait for its end; returns its exit status."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired as exc:
            raise ImageError(f"it runs on after {timeout_s:g} s; see {self.log}") from exc

    def stop(self, timeout_s: float) -> tuple[int, float]:
        """Send SIGTERM to the process itself; returns its exit status and the seconds it took."""
        start_s = time.monotonic()
        os.kill(self._first_process(), signal.SIGTERM)
        return self.wait(timeout_s), time.monotonic() - start_s

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._popen.kill()
        self._popen.wait()

    def _first_process(self) -> int:
        children = Path(f"/proc/{self._popen.pid}/task/{self._popen.pid}/children")
        give_up_s = time.monotonic() + _FOUND_S
        while time.monotonic() < give_up_s:
            if found := children.read_text().split():
                return int(found[0])
            time.sleep(0.01)
        raise ImageError("the process in the image cannot be found")


def _script(image: Image, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Write what lays out the mounts and then becomes the process."""
    root, user = shlex.quote(str(image.root)), str(image.config["User"])
    number = user.partition(":")[0]
    lines = [
        "set -e",
        "mount --make-rprivate /",
        f"mount --bind {root} {root}",
        f"cd {root}",
        "mount -t proc proc proc",
        "mount -t tmpfs -o mode=755 tmpfs dev",
        *(f"touch dev/{name}; mount --bind /dev/{name} dev/{name}" for name in _DEVICES),
        "mkdir dev/shm; mount -t tmpfs -o mode=1777,size=1g tmpfs dev/shm",
        *(f"mount -t tmpfs -o uid={number} tmpfs .{folder}" for folder in image.writable),
        "mount -o remount,bind,ro .",
    ]
    if not image.has_shell:
        lines += [
            f"[ ! -e usr/bin/{name} ] || mount --bind /dev/null usr/bin/{name}" for name in _SHELLS
        ]
    settings = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    lines.append(
        f"exec env -i {settings} /usr/sbin/chroot --userspec={user} --groups={number} . "
        f"{shlex.join(command)}"
    )
    return "\n".join(lines)
