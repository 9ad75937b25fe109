"""A process that decodes photos, one after the other, and dies of one rather than the gateway.

python -m gateway.rendering.decoding.worker SOCKET MAX_MEMORY_BYTES TIMEOUT_S LOG_FORMAT

It ends when the other end of its socket closes, be it that the gateway was killed, and at the
latest a second after a photo's time: the kernel's alarm ends it within any decoder's code, and so
does the kernel's count of the processor time that all of its threads have taken together.
"""

import logging
import resource
import signal
import socket
import sys
from typing import Final

import numpy as np

from gateway.memory import keep_some_memory
from gateway.rendering.decoding.kept_room import KeptRoom
from gateway.rendering.decoding.parcels import (
    Parcel,
    ParcelError,
    SealedBytes,
    ShortageError,
    receive,
    send,
)
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.photo import decode_photo, decode_preview, read_size
from imaging.decode.pillow_warnings import log_oddities
from imaging.errors import InvalidInputError, PhotoLimitError
from imaging.types import Photo
from processes.logs import LogFormat, set_up_logging

_GRACE_S: Final = 1.0
_MAX_NOTE_CHARS: Final = 1000


def main() -> int:
    """Decode until there is nobody to decode for."""
    descriptor, max_memory_bytes, timeout_s, log_format = sys.argv[1:]
    set_up_logging(logging.WARNING, LogFormat(log_format))
    log_oddities()
    keep_some_memory()
    _limit_memory(int(max_memory_bytes))
    # Ctrl-C reaches the whole group, but it is the gateway that says when photos have ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gateway = socket.socket(fileno=int(descriptor))
    room = KeptRoom()
    try:
        send(gateway, {"ready": True})
        while True:
            try:
                parcel = receive(gateway)
            except ShortageError as exc:
                send(gateway, {"short": str(exc)})
                continue
            signal.setitimer(signal.ITIMER_REAL, float(timeout_s) + _GRACE_S)
            signal.setitimer(signal.ITIMER_PROF, float(parcel.words["cpu_s"]))
            _answer(gateway, parcel, int(max_memory_bytes), room)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            del parcel
    except ParcelError:
        return 0


def _limit_memory(max_memory_bytes: int) -> None:
    """Limit what may be allocated from here on; libraries and stacks do not count (RLIMIT_DATA)."""
    resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(gateway: socket.socket, parcel: Parcel, max_memory_bytes: int, room: KeptRoom) -> None:
    content: SealedBytes | None = None
    try:
        words, pixels = _done(parcel, room)
        content = SealedBytes(pixels) if pixels else None
    except InvalidInputError as error:
        words = _refused(error)
    except ShortageError as error:
        words = {"short": str(error)}
    except MemoryError:
        too_much = PhotoLimitError(
            f"the photo takes more memory to decode than the limit of {max_memory_bytes} bytes",
            field=FIELD,
            figures={"limit_memory_bytes": max_memory_bytes},
        )
        words = _refused(too_much)
    send(gateway, words, content)
    if content:
        content.close()


def _done(parcel: Parcel, room: KeptRoom) -> tuple[dict[str, object], list[bytes | memoryview]]:
    """Do what the parcel asks for: read the header, decode to a smaller size, or decode."""
    words = parcel.words
    file, limits = bytes(parcel.content), PhotoLimits(**words["limits"])
    match words["ask"]:
        case "size":
            width_px, height_px = read_size(file, limits)
            return {"width_px": width_px, "height_px": height_px}, []
        case "preview":
            photo = decode_preview(file, limits, int(words["width_px"]), int(words["height_px"]))
            return ({"none": True}, []) if photo is None else _packed(photo)
        case _:
            keep_metadata = bool(words["keep_metadata"])
            return _packed(decode_photo(file, limits, keep_metadata=keep_metadata, room=room))


def _packed(photo: Photo) -> tuple[dict[str, object], list[bytes | memoryview]]:
    alpha = [] if photo.alpha is None else [np.ascontiguousarray(photo.alpha).data]
    words: dict[str, object] = {
        "width_px": photo.width_px,
        "height_px": photo.height_px,
        "alpha": photo.alpha is not None,
        "notes": [note[:_MAX_NOTE_CHARS] for note in photo.notes],
    }
    return words, [photo.rgb.data, *alpha, photo.metadata]


def _refused(error: InvalidInputError) -> dict[str, object]:
    return {
        "reason": error.reason,
        "message": str(error)[:_MAX_NOTE_CHARS],
        "figures": error.figures,
    }


if __name__ == "__main__":
    sys.exit(main())
