"""Which pictures are held out of training, by their names alone."""

import zlib

HELD_OUT_ONE_IN = 10


def held_out(name: str) -> bool:
    """Say whether a picture is kept for validation: by its name, so that it stays so for ever."""
    return zlib.crc32(name.encode()) % HELD_OUT_ONE_IN == 0


def object_name(stem: str) -> str:
    """Give the object that a render shows: all its views go to the same side of the split."""
    return stem.rpartition("_")[0] or stem
