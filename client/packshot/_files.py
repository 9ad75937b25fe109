"""Files on this machine: photos that are read, packshots that are written whole or not at all."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

# A file that a broken-off process may leave behind; no photo has such a name.
PART_PREFIX, PART_SUFFIX = ".packshot-", ".part"

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}
# A FIFO that takes a file's place between the look and the opening must not block.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# What file systems say that have no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


def kind_of(mode: int) -> str | None:
    """Name what a path leads to, from its `st_mode`, such as "a FIFO"; None for a regular file."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


def identity(path: Path) -> tuple[int, int] | None:
    """Tell a file from all others, whatever its names; None for one that is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path names an open file of a process, such as /dev/stdout."""
    return os.path.abspath(path).startswith(_STREAMS)  # noqa: PTH100  /dev/stdout itself is a link


def read_file(path: str | os.PathLike[str], most_bytes: int = -1) -> bytes:
    """Read a regular file; a FIFO or a device is not even opened.

    Args:
        path: Where it is.
        most_bytes: How much is read of it; -1: all.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    _refuse_others(Path(path).stat(), path)
    with os.fdopen(os.open(path, _READING), "rb") as file:
        _refuse_others(os.fstat(file.fileno()), path)
        return file.read(most_bytes)


def write_file(path: str | os.PathLike[str], data: bytes, *, replace: bool) -> None:
    """Write a file so that it appears whole or not at all, on the disk and not only in memory.

    It is written beside its place and renamed. A new file gets the permissions of a plain `open`, a
    replaced one keeps its own; a link stays, and the file that it leads to is written. What is no
    regular file, such as /dev/null or /dev/stdout, is written to as it is.

    Args:
        path: Where.
        data: All that the file shall hold.
        replace: Whether a file that is there is replaced.

    Raises:
        FileExistsError: There is a file, and it is not to be replaced.
        OSError: It cannot be written; what was there is still there.
    """
    try:
        _write(path, data, replace=replace)
    except OSError as exc:
        raise type(exc)(exc.errno, exc.strerror, os.fspath(path)) from exc


def probe_folder(folder: Path) -> bool:
    """Find out whether files can be made in a folder, and whether their case tells them apart.

    Returns:
        Whether `a` and `A` are two files there.

    Raises:
        OSError: No file can be made.
    """
    part = _part(folder)
    os.close(os.open(part, _WRITING, 0o600))
    try:
        return not part.with_name(part.name.upper()).exists()
    finally:
        part.unlink()


def _write(path: str | os.PathLike[str], data: bytes, *, replace: bool) -> None:
    target = Path(os.path.realpath(path))
    there = target.stat() if target.exists() else None
    if there and not replace and stat.S_ISREG(there.st_mode):
        raise FileExistsError(errno.EEXIST, "File exists")
    if (there and not stat.S_ISREG(there.st_mode)) or is_stream(path):
        with Path(path).open("wb") as stream:
            stream.write(data)
        return
    if there and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied")
    part = _part(target.parent)
    try:
        with os.fdopen(os.open(part, _WRITING, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if there:
            _keep_owner_and_mode(part, there)
        if replace:
            part.replace(target)
        else:
            _rename_to_new(part, target)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _part(folder: Path) -> Path:
    return folder / f"{PART_PREFIX}{secrets.token_hex(8)}{PART_SUFFIX}"


def _rename_to_new(part: Path, target: Path) -> None:
    """Rename a file unless its new name is taken, at one stroke where the file system can."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "File exists") from exc
        part.replace(target)


def _keep_owner_and_mode(part: Path, there: os.stat_result) -> None:
    if hasattr(os, "chown"):
        with suppress(OSError):  # only root may give files away
            os.chown(part, there.st_uid, there.st_gid)
    part.chmod(stat.S_IMODE(there.st_mode))


def _sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system has such a call."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse_others(found: os.stat_result, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", os.fspath(path))
    if kind := kind_of(found.st_mode):
        raise OSError(errno.EINVAL, f"is {kind}, not a file", os.fspath(path))
