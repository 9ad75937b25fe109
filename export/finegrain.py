"""Reads the public benchmark finegrain-product-masks-lite from a local copy.

The hub serves `finegrain/finegrain-product-masks-lite` (MIT) as one file, 118 MB,
``data/test-00000-of-00001.parquet``: 120 rows of ``image`` (RGB) and ``mask`` (grey), each a
structure of the encoded file's ``bytes`` and its ``path``. Of its 103 photos some come more than
once, each time with the mask of another product.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from export.errors import PackageError, PicturesError
from export.photos import Photo, squash_matte, squash_photo

COLUMNS = ("image", "mask")
ROWS_AT_ONCE = 8
SKEW_MOST = 0.02  # by how much, of one, the shapes of photo and mask may differ


def read_finegrain(path: Path, side: int) -> list[Photo]:
    """Read every row of the dataset.

    Args:
        path: a parquet file of it, or a folder that holds its parquet files at any depth.
        side: height and width to squash to, pixels.

    Raises:
        PackageError: pyarrow is not installed.
        PicturesError: there is no such file, it is of another form, or a picture cannot be read.
    """
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise PicturesError(f"{path} holds no parquet file")
    rows = (row for file in files for row in _rows(file))
    photos = [_photo(index, row, side) for index, row in enumerate(rows)]
    if not photos:
        raise PicturesError(f"{path} holds no rows")
    return photos


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as exc:
        raise PackageError(f"parquet files need the package pyarrow: {exc}") from exc
    try:
        with parquet.ParquetFile(file) as table:
            if lacking := set(COLUMNS) - set(table.schema_arrow.names):
                raise PicturesError(f"{file} has no column {', '.join(sorted(lacking))}")
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=list(COLUMNS)):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as exc:
        raise PicturesError(f"{file} cannot be read: {exc}") from exc


def _photo(index: int, row: dict[str, Any], side: int) -> Photo:
    image, mask = (_open(index, name, row[name]) for name in COLUMNS)
    skew = (image.width * mask.height) / (image.height * mask.width)
    if abs(skew - 1) > SKEW_MOST:
        raise PicturesError(f"row {index}: photo {image.size} and mask {mask.size} differ in shape")
    stem = Path(row["image"]["path"] or "").stem
    name = f"{index:03d} {stem}".rstrip()
    return Photo(name, squash_photo(image, side), squash_matte(mask, side))


def _open(index: int, column: str, cell: Any) -> Image.Image:
    if not isinstance(cell, dict) or not cell.get("bytes"):
        raise PicturesError(f"row {index}: {column} holds no bytes of a picture")
    try:
        with Image.open(io.BytesIO(cell["bytes"])) as image:
            return ImageOps.exif_transpose(image)
    except (OSError, ValueError) as exc:
        raise PicturesError(f"row {index}: {column} cannot be read: {exc}") from exc
