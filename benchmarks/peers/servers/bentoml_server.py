"""BentoML with adaptive batching, as its documentation composes services.

It runs in an environment of its own: `bentoml serve bentoml_server:Photos`. The network is a
service by itself, whose dispatcher batches what the photos' threads ask of it.
"""

import os
from pathlib import Path
from typing import Annotated

import aiohttp
import bentoml
import numpy as np
import onnxruntime
import picture
from bentoml.validators import ContentType
from numpy.typing import NDArray

CORES = len(os.sched_getaffinity(0))
# The largest concurrency that is measured.
MAX_BATCH_SIZE = 8
# Pillow frees Python's lock in its codecs, so threads decode and encode beside one another.
THREADS = 8
# Nothing is to be dropped: a closed loop cannot overrun the server.
TIMEOUT_S = 60


@bentoml.service(workers=1, traffic={"timeout": TIMEOUT_S})
class Network:
    """The network."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = CORES
        self.session = onnxruntime.InferenceSession(
            os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"]
        )

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE, max_latency_ms=TIMEOUT_S * 1000)
    def cut(self, photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut a batch."""
        mattes: NDArray[np.uint8] = self.session.run(None, {"photo": photos})[0]
        return mattes


@bentoml.service(workers=1, threads=THREADS, traffic={"timeout": TIMEOUT_S})
class Photos:
    """One photo in, its product cut out."""

    network = bentoml.depends(Network)

    def __init__(self) -> None:
        model = onnxruntime.InferenceSession(
            os.environ["PEER_MODEL"], providers=["CPUExecutionProvider"]
        )
        self.side_px = model.get_inputs()[0].shape[1]
        self.output = os.environ["PEER_OUTPUT"]

    @bentoml.api
    def remove(
        self, photo: Annotated[Path, ContentType("image/jpeg")], context: bentoml.Context
    ) -> Annotated[Path, ContentType("image/*")]:
        """Cut the product of one photo out."""
        decoded = picture.decode(photo.read_bytes())
        matte = self._cut(picture.to_model_input(decoded, self.side_px))[0]
        answer = Path(context.temp_dir) / "picture"
        answer.write_bytes(picture.finish(decoded, matte, self.output))
        return answer

    def _cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Ask the network, once more where BentoML sent on a connection that was just closed."""
        try:
            mattes: NDArray[np.uint8] = self.network.cut(pixels)
        except aiohttp.ServerDisconnectedError:
            mattes = self.network.cut(pixels)
        return mattes
