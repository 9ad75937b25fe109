"""The callers of each server: each sends a photo or a tensor and reads the whole answer.

A caller has a connection of its own and waits for each answer before it asks again.
"""

import http.client
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from benchmarks.errors import PeerError
from export.tensor_names import MATTE, PHOTO
from packshot import Client, PackshotError

# More than the slowest peer needs for all callers' photos on slow cores.
TIMEOUT_S = 60.0
_BOUNDARY = "packshot-benchmark-boundary"
_HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    content: bytes  # A picture, or a matte
    # What each stage took inside the service, where it says so
    stages_s: Mapping[str, float] = field(default_factory=dict)


class Caller(Protocol):
    """Asks one server, from one thread."""

    def ask(self, number: int) -> Answer:
        """Send the photo of that number, and return what came back.

        Raises:
            PeerError: The answer is none.
            OSError: The connection failed.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


Connect = Callable[[], Caller]


@dataclass
class HttpCaller:
    """Posts photos to an HTTP server, over one connection."""

    port: int  # on the loopback interface
    path: str  # to post to
    photos: Sequence[bytes]  # files to send
    file_field: str = ""  # the form's field for the file; empty: the file is the body
    fields: Mapping[str, str] = field(default_factory=dict)  # the form's other fields

    def __post_init__(self) -> None:
        """Open the connection lazily, as http.client does."""
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        self.bodies = [self._body(photo) for photo in self.photos]
        self.content_type = "image/jpeg"
        if self.file_field:
            self.content_type = f"multipart/form-data; boundary={_BOUNDARY}"

    def ask(self, number: int) -> Answer:
        """Post one photo."""
        body = self.bodies[number % len(self.bodies)]
        try:
            self._connection.request("POST", self.path, body, {"Content-Type": self.content_type})
            response = self._connection.getresponse()
            content = response.read()
        except http.client.HTTPException as exc:
            self._connection.close()
            raise PeerError(f"no HTTP answer: {exc!r}") from exc
        except OSError:
            self._connection.close()  # the next request opens another
            raise
        if response.status != _HTTP_OK:
            raise PeerError(f"HTTP status {response.status}: {content[:200]!r}")
        return Answer(content)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _body(self, photo: bytes) -> bytes:
        if not self.file_field:
            return photo
        head = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        )
        head += (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{self.file_field}"; '
            'filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        return head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


class PackshotCaller:
    """Renders photos through a gateway.

    Args:
        target: The gateway.
        photos: Files to send.
        options: As `Client.render` takes them.
    """

    def __init__(self, target: str, photos: Sequence[bytes], options: Mapping[str, Any]) -> None:
        self._client = Client(target, timeout_s=TIMEOUT_S, retries=False)
        self._photos, self._options = photos, options

    def ask(self, number: int) -> Answer:
        """Render one photo."""
        try:
            photo = self._photos[number % len(self._photos)]
            shot = self._client.render(photo, **self._options)
        except PackshotError as exc:
            raise PeerError(f"{exc.code.name}: {exc}") from exc
        return Answer(shot.picture, shot.stages_s)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class TritonCaller:
    """Sends tensors to Triton and takes mattes: no codec, no composing.

    Args:
        address: Triton's gRPC address.
        model: The model.
        tensors: (1, side, side, 3) uint8 each.
    """

    def __init__(self, address: str, model: str, tensors: Sequence[NDArray[np.uint8]]) -> None:
        self._client = triton.InferenceServerClient(address)
        self._model = model
        self._inputs = []
        for tensor in tensors:
            given = triton.InferInput(PHOTO, tensor.shape, "UINT8")
            given.set_data_from_numpy(tensor)
            self._inputs.append([given])

    def ask(self, number: int) -> Answer:
        """Infer one matte."""
        inputs = self._inputs[number % len(self._inputs)]
        try:
            result = self._client.infer(self._model, inputs, client_timeout=TIMEOUT_S)
        except InferenceServerException as exc:
            raise PeerError(str(exc)) from exc
        return Answer(result.as_numpy(MATTE).tobytes())

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def tensor_of(photo: bytes, side_px: int) -> NDArray[np.uint8]:
    """Decode a photo and scale it to a network's input, (1, side, side, 3)."""
    with Image.open(io.BytesIO(photo)) as opened:
        scaled = opened.convert("RGB").resize((side_px, side_px))
    return np.asarray(scaled, np.uint8)[None]


def check_picture(picture: bytes, photo: bytes, output: str) -> None:
    """Check that an answer is a picture of the photo's size, in the given format.

    Raises:
        PeerError: It is not.
    """
    with Image.open(io.BytesIO(photo)) as opened:
        size = opened.size
    try:
        with Image.open(io.BytesIO(picture)) as answer:
            answer.load()
            found = (answer.size, answer.format, answer.mode)
    except OSError as exc:
        raise PeerError(f"the answer is no picture: {exc}") from exc
    wanted = (size, output.upper(), "RGBA" if output == "png" else "RGB")
    if found != wanted:
        raise PeerError(f"the answer is {found}, not {wanted}")
