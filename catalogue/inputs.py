"""What a job's photos are: a folder, a glob or a manifest, as a table of text.

Columns: `id`, `input` (absolute path or URI), `problem` (why the row is none, else null), and a
manifest's other columns as they are.
"""

import posixpath
from dataclasses import dataclass

import pyarrow as pa

from catalogue.errors import InputError
from catalogue.manifest import SUFFIXES, read_manifest
from catalogue.places import absolute, open_filesystem
from catalogue.results import FOLDER
from packshot._options import PICTURE_SUFFIXES

_WILDCARDS = "*?["


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a job.

    Attributes:
        table: One row each.
        left_out: Files that are no pictures by their names.
    """

    table: pa.Table
    left_out: tuple[str, ...] = ()


def read_photos(uri: str) -> Photos:
    """Find a job's photos.

    Args:
        uri: A folder, a glob or a manifest (`.parquet`, `.csv`, `.jsonl`, `.ndjson`), or a glob of
            manifests; local or of any store that fsspec opens.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    try:
        return _read(uri)
    except (OSError, pa.ArrowInvalid) as exc:
        raise InputError(f"the input {uri!r} cannot be read: {exc}") from exc


def _read(uri: str) -> Photos:
    filesystem, path = open_filesystem(uri)
    suffix = posixpath.splitext(path)[1].lower()
    if any(sign in path for sign in _WILDCARDS):
        paths = sorted(str(each) for each in filesystem.glob(path))
        if suffix in SUFFIXES:
            return _manifests(uri, [_uri(filesystem, each) for each in paths])
        return _pictures(uri, filesystem, paths, _fixed_part(path))
    if suffix in SUFFIXES:
        return _manifests(uri, [absolute(uri)])
    if not filesystem.isdir(path):
        raise InputError(f"the input {uri!r} is no folder, no glob and no manifest")
    return _pictures(uri, filesystem, sorted(map(str, filesystem.find(path))), path)


def _manifests(uri: str, uris: list[str]) -> Photos:
    if not uris:
        raise InputError(f"the input {uri!r} matches no file")
    tables = [read_manifest(each) for each in uris]
    return Photos(pa.concat_tables(tables, promote_options="permissive"))


def _pictures(uri: str, filesystem: object, paths: list[str], root: str) -> Photos:
    names = [posixpath.relpath(path, root or "/") for path in paths]
    # A run's own results may lie below the folder.
    inside = [
        (path, name)
        for path, name in zip(paths, names, strict=True)
        if FOLDER not in name.split("/")
    ]
    found = [each for each in inside if posixpath.splitext(each[1])[1].lower() in PICTURE_SUFFIXES]
    left_out = tuple(each[1] for each in inside if each not in set(found))
    if not found:
        raise InputError(f"the input {uri!r} holds no picture")
    table = pa.table(
        {
            "id": [name for _, name in found],
            "input": [_uri(filesystem, path) for path, _ in found],
            "problem": pa.nulls(len(found), pa.string()),
        }
    )
    return Photos(table, left_out)


def _fixed_part(pattern: str) -> str:
    """Return the folder that all files of a glob lie in."""
    parts = pattern.split("/")
    first = next(at for at, part in enumerate(parts) if any(sign in part for sign in _WILDCARDS))
    return "/".join(parts[:first])


def _uri(filesystem: object, path: str) -> str:
    protocol = getattr(filesystem, "protocol", "file")
    local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
    return path if local else str(filesystem.unstrip_protocol(path))  # type: ignore[attr-defined]
