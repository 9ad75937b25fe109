"""What is fuzzed: each takes any bytes, and raises only where the gateway has a defect."""

import numpy as np
from google.protobuf.message import DecodeError

from gateway.rpc.requests.reader import OptionReader
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import ReasonedError
from imaging.presets.load import load_presets
from packshot.v1 import packshot_pb2 as pb

# Small, so that no input may take long for good reason.
LIMITS = PhotoLimits(max_bytes=2**20, max_pixels=1_000_000)
READER = OptionReader("matte", 1_000_000, load_presets())


def decode(data: bytes) -> bool:
    """Decode a photo; returns whether there was one, every error of the gateway's being fine."""
    try:
        photo = decode_photo(data, LIMITS, keep_metadata=True)
    except ReasonedError:
        return False
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape[2:] == (3,)
    assert photo.alpha is None or photo.alpha.shape == photo.rgb.shape[:2]
    return True


def options(data: bytes) -> bool:
    """Read a serialised request's options; returns whether they are in order."""
    try:
        request = pb.RenderRequest.FromString(data)
    except DecodeError:
        return False
    return read(request)


def read(request: pb.RenderRequest) -> bool:
    """Read a request's options; returns whether they are in order."""
    try:
        READER.read(request)
    except ReasonedError:
        return False
    return True
