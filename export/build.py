"""Builds a model folder for Triton: weights to ONNX, held to the network, with its config."""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from export.best_weights import Answer
from export.errors import ExportError
from export.graph import fold_norms, round_network, write_onnx
from export.networks.registry import network_of
from export.photos import read_pixels
from export.triton_config import Kind, MatteModelConfig
from export.verification import Verified, verify
from export.weights_file import ModelCard, read_weights

VERSION = "1"
LARGEST_ONNX_BYTES = 10_000_000  # committed files stay below


@dataclass(frozen=True)
class Built:
    """A model folder that was built."""

    folder: Path
    onnx_bytes: int
    verified: Verified
    config: MatteModelConfig


def build(
    name: str,
    repository: Path,
    pictures: Path,
    *,
    weights: Path,
    kind: Kind = Kind.AUTO,
    max_batch_size: int = 16,
    cpu_accelerator: str | None = None,
) -> Built:
    """Build ``REPOSITORY/NAME`` from the weights of that name.

    Nothing is put in place before the ONNX file has proven equal to the network.

    Args:
        name: of the model.
        repository: Triton's model repository.
        pictures: a folder of real photos to compare on.
        weights: folder that holds ``NAME.safetensors`` and ``NAME.json``.
        kind: where Triton puts the model.
        max_batch_size: largest batch that Triton may form.
        cpu_accelerator: what runs it on a CPU, by Triton's name; None: ONNX Runtime's kernels.

    Raises:
        CheckpointError: weights or card are missing or do not fit.
        PicturesError: there are no real photos to compare on.
        VerificationError: ONNX and network differ by more than rounding.
    """
    card = ModelCard.read(weights / f"{name}.json")
    network = network_of(card.network)
    read_weights(network, weights / f"{name}.safetensors")
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.onnx"
        metadata = card.metadata() | {"precision": "fp32"}
        # The file holds rounded weights. The network that it is held to has the same ones.
        round_network(fold_norms(network.eval()))
        write_onnx(network, card.side, model, metadata, packed=True)
        size = model.stat().st_size
        if size > LARGEST_ONNX_BYTES:
            raise ExportError(f"{name} takes {size} bytes, more than {LARGEST_ONNX_BYTES}")
        real = read_pixels(pictures, card.side)
        verified = verify(model, Answer(network), card.side, real)
        folder = repository / name
        (folder / VERSION).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model, folder / VERSION / "model.onnx")
    config = MatteModelConfig(
        name,
        card.side,
        max_batch_size=max_batch_size,
        kind=kind,
        cpu_accelerator=cpu_accelerator,
        card=json.dumps(asdict(card) | {"precision": "fp32"}),
    )
    config.write(folder / "config.pbtxt")
    return Built(folder, size, verified, config)
