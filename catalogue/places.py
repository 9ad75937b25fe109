"""Where photos lie and packshots go: folders and object stores, by fsspec.

A file is written whole or not at all. An object store has an object only once its upload is
complete, and a multipart upload that fails is aborted; elsewhere a file is written beside its place
and renamed. What a store refuses for now, such as a request over its rate, is asked for again.
"""

import posixpath
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from catalogue.backoff import Backoff
from catalogue.errors import InputError
from packshot._files import read_file, write_file

T = TypeVar("T")

# The most that is read of one photo; the gateway's own limit is smaller by default.
MOST_PHOTO_BYTES = 128 * 2**20
# Stores in which an object appears once it is complete.
_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "memory"}
# A larger object is uploaded in parts of this size.
_PART_BYTES = 16 * 2**20
_S3 = {"retries": {"mode": "standard", "max_attempts": 4}, "max_pool_connections": 32}
_FINAL = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ValueError,
)
_TEMPORARY = ".part-"


def open_filesystem(uri: str) -> tuple[Any, str]:
    """Return the file system of a path or URI, and the path in it.

    Raises:
        InputError: Nothing is installed for such a URI, or it is malformed.
    """
    try:
        # A listing that is kept would hide what another process has written since.
        known: dict[str, Any] = {"use_listings_cache": False}
        if uri.startswith(("s3://", "s3a://")):
            known["config_kwargs"] = _S3
        filesystem, path = fsspec.core.url_to_fs(uri, **known)
    except (ImportError, ValueError) as exc:
        raise InputError(f"{uri!r} cannot be opened: {exc}") from exc
    if "config_kwargs" in known:
        filesystem.retries = 1  # botocore's own and this module's are enough
    return filesystem, str(path)


def absolute(uri: str) -> str:
    """Return a path or URI as any process on any machine understands it."""
    filesystem, path = open_filesystem(uri)
    return (
        path if isinstance(filesystem, LocalFileSystem) else str(filesystem.unstrip_protocol(path))
    )


def join(folder: str, name: str) -> str:
    """Return the URI of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


class Place:
    """A folder or a prefix of an object store. It may be pickled.

    Args:
        uri: Its path or URI.
        backoff: When what may pass is tried again.

    Attributes:
        uri: Its absolute path or URI.
    """

    def __init__(self, uri: str, backoff: Backoff | None = None) -> None:
        self.uri = absolute(uri)
        self._backoff = backoff or Backoff()
        self.filesystem, self.path = open_filesystem(self.uri)
        self._local = isinstance(self.filesystem, LocalFileSystem)

    def inside(self, name: str) -> str:
        """Return the path, in the file system, of a file of this place."""
        return posixpath.join(self.path, name)

    def read(self, name: str, most_bytes: int = MOST_PHOTO_BYTES) -> bytes:
        """Read a file, and no more of it than so many bytes.

        Raises:
            OSError: It cannot be read.
        """
        path = self.inside(name) if name else self.path
        if self._local:
            return repeated(lambda: read_file(path, most_bytes), self._backoff)
        return repeated(lambda: self._read_object(path, most_bytes), self._backoff)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all, in place of one that is there.

        Raises:
            OSError: It cannot be written.
        """
        repeated(lambda: self._write(self.inside(name), data), self._backoff)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file."""
        return bool(repeated(lambda: self.filesystem.exists(self.inside(name)), self._backoff))

    def files(self, folder: str, suffix: str) -> list[str]:
        """List the names of a folder's files, those of folders in it aside, in order."""
        try:
            found = repeated(
                lambda: self.filesystem.ls(self.inside(folder), detail=False), self._backoff
            )
        except FileNotFoundError:
            return []
        names = (posixpath.basename(str(path)) for path in found)
        return sorted(
            name for name in names if name.endswith(suffix) and not name.startswith(_TEMPORARY)
        )

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""
        with suppress(FileNotFoundError):
            repeated(lambda: self.filesystem.rm_file(self.inside(name)), self._backoff)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the connections behind."""
        return Place, (self.uri, self._backoff)

    def _read_object(self, path: str, most_bytes: int) -> bytes:
        try:
            return bytes(self.filesystem.cat_file(path, start=0, end=most_bytes))
        except OSError as exc:
            # An empty object has no byte that a range could begin at.
            if "range" in str(exc).lower():
                return bytes(self.filesystem.cat_file(path))
            raise

    def _write(self, path: str, data: bytes) -> None:
        if self._local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_file(path, data, replace=True)
        elif self._appears_whole:
            self._put(path, data)
        else:
            self._rename_to(path, data)

    @property
    def _appears_whole(self) -> bool:
        return bool(self._protocols & _WHOLE)

    @property
    def _protocols(self) -> set[str]:
        protocol = self.filesystem.protocol
        return {protocol} if isinstance(protocol, str) else {*protocol}

    def _put(self, path: str, data: bytes) -> None:
        known = self._protocols & {"s3", "s3a", "gs", "gcs"}
        self.filesystem.pipe_file(path, data, **({"chunksize": _PART_BYTES} if known else {}))

    def _rename_to(self, path: str, data: bytes) -> None:
        folder, name = posixpath.split(path)
        part = posixpath.join(folder, f"{_TEMPORARY}{secrets.token_hex(8)}-{name}")
        self.filesystem.makedirs(folder, exist_ok=True)
        try:
            self.filesystem.pipe_file(part, data)
            self.filesystem.mv(part, path)
        except BaseException:
            with suppress(OSError):
                self.filesystem.rm_file(part)
            raise


def repeated(work: Callable[[], T], backoff: Backoff) -> T:
    """Do something with a store, again while it fails in a way that may pass.

    Raises:
        OSError: It fails for good, or has failed as often as it may.
    """
    attempt = 1
    while True:
        try:
            return work()
        except _FINAL:
            raise
        except Exception as exc:
            if attempt == backoff.attempts:
                raise exc if isinstance(exc, OSError) else OSError(str(exc)) from exc
            time.sleep(backoff.pause_s(attempt))
            attempt += 1
