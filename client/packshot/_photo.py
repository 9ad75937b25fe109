"""Photos, in every form that callers have them in, as bytes."""

from os import PathLike
from pathlib import Path

from packshot._errors import photo_too_large
from packshot._files import read_file
from packshot._options import Photo

# What no message can hold.
_MOST_BYTES = 2**31 - 2**20


def photo_bytes(photo: Photo, most_bytes: int = _MOST_BYTES) -> bytes:
    """Return a photo's bytes.

    Args:
        photo: Bytes, a path, or an open binary file, which is read from where it stands.
        most_bytes: The most that can be sent; a larger file is not read.

    Raises:
        OSError: It cannot be read.
        InvalidRequestError: It is larger.
        TypeError: It is nothing of that.
    """
    if isinstance(photo, bytes | bytearray | memoryview):
        data = bytes(photo)
    elif isinstance(photo, str | PathLike):
        size = Path(photo).stat().st_size
        if size > most_bytes:
            raise photo_too_large(size, most_bytes)
        data = read_file(photo, most_bytes + 1)
    elif hasattr(photo, "read"):
        data = photo.read(most_bytes + 1)
        if not isinstance(data, bytes):
            raise TypeError(f"a photo's file gives {type(data).__name__}: open it in binary mode")
    else:
        kind = type(photo).__name__
        raise TypeError(f"a photo is bytes, a path or an open binary file, not {kind}")
    if len(data) > most_bytes:
        raise photo_too_large(len(data), most_bytes)
    return data
