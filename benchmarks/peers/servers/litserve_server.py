"""LitServe with batching, as its documentation recommends for a network on a CPU.

It runs in an environment of its own: `python litserve_server.py PORT`. A worker decodes, runs and
encodes its batch by itself, so there is one for each core, with one thread of the network each.
"""

import os
import sys
from typing import Annotated, Any

import litserve
import numpy as np
import onnxruntime
import picture
from fastapi import Body, Response
from numpy.typing import NDArray
from PIL import Image

# Half of the largest concurrency that is measured, so that two workers share it.
MAX_BATCH_SIZE = 4
# Time for a batch to fill, as their examples have it.
BATCH_TIMEOUT_S = 0.01


class Cut(litserve.LitAPI):  # type: ignore[misc]  # it is not installed where types are checked
    """One photo in, its product cut out."""

    def setup(self, device: str) -> None:  # noqa: ARG002  LitServe's interface
        """Load the network, once in each worker."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.output = os.environ["PEER_OUTPUT"]
        self.network = onnxruntime.InferenceSession(
            os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.side_px = self.network.get_inputs()[0].shape[1]

    def decode_request(
        self, request: Annotated[bytes, Body(media_type="image/jpeg")]
    ) -> tuple[Image.Image, NDArray[np.uint8]]:
        """Decode a file."""
        photo = picture.decode(request)
        return photo, picture.to_model_input(photo, self.side_px)

    def batch(self, inputs: list[Any]) -> Any:
        """Put photos together."""
        return [photo for photo, _ in inputs], np.concatenate([pixels for _, pixels in inputs])

    def predict(self, x: Any) -> Any:
        """Cut a batch."""
        photos, pixels = x
        return photos, self.network.run(None, {"photo": pixels})[0]

    def unbatch(self, output: Any) -> list[Any]:
        """Take a batch apart."""
        return list(zip(*output, strict=True))

    def encode_response(self, output: Any) -> Response:
        """Finish a picture."""
        photo, matte = output
        return Response(picture.finish(photo, matte, self.output), media_type="image/*")


if __name__ == "__main__":
    server = litserve.LitServer(
        Cut(max_batch_size=MAX_BATCH_SIZE, batch_timeout=BATCH_TIMEOUT_S),
        accelerator="cpu",
        workers_per_device=len(os.sched_getaffinity(0)),
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning"
    )
