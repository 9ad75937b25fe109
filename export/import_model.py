"""Imports a foreign model into Triton's repository: an ONNX file, or weights of a known network.

Nothing is put in place before the written graph has proven equal to the file that was imported.
"""

import hashlib
import json
import logging
import math
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx

from export.errors import ModelFileError, VerificationError
from export.photos import read_pixels
from export.recipes import Activation, Recipe
from export.triton_config import Kind, MatteModelConfig
from export.verification import Pixels, Verified, open_session, run, verify
from export.wrap import Ports, find_ports, read_onnx, wrap

log = logging.getLogger(__name__)

VERSION = "1"
REAL_PHOTOS = 2  # beside two of noise; a large network takes seconds for each on a CPU
WEIGHTS_SUFFIXES = {".pth", ".pt", ".safetensors"}
NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class ImportedModel:
    """A model folder made from a foreign file."""

    folder: Path
    max_batch_size: int  # 1 where the graph does not work for more
    verified: Verified


def import_model(
    file: Path,
    name: str,
    recipe: Recipe,
    repository: Path,
    pictures: Path,
    *,
    kind: Kind = Kind.AUTO,
    max_batch_size: int = 4,
) -> ImportedModel:
    """Make ``REPOSITORY/NAME`` from an ONNX file or from weights of one of our networks.

    Args:
        file: ``.onnx``, or ``.pth``, ``.pt`` or ``.safetensors``.
        name: of the model in Triton.
        recipe: of its input and output.
        repository: Triton's model repository.
        pictures: a folder of real photos to compare on.
        kind: where Triton puts the model.
        max_batch_size: largest batch that Triton may form, if the graph works for more than one.

    Raises:
        ModelFileError: the file cannot be served by that recipe, or the name is no model's.
        CheckpointError: the weights fit another network.
        PicturesError: there are no photos to compare on.
        VerificationError: what was written answers otherwise than what was imported.
    """
    folder = repository / name
    if not NAMES.fullmatch(name):
        raise ModelFileError(f"{name!r} is no name of a model: letters, digits, '.', '_', '-'")
    if folder.exists():
        raise ModelFileError(f"{folder} is there already; remove it or choose another name")
    real = read_pixels(pictures, recipe.side)[:REAL_PHOTOS]
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.onnx"
        metadata = card_metadata(file, name, recipe)
        answer = _write(file, model, recipe, metadata)
        size, verified = _prove(model, answer, recipe.side, real, max_batch_size)
        card = json.loads(metadata["card"]) | {"parameters": count_parameters(model)}
        (folder / VERSION).mkdir(parents=True)
        shutil.move(model, folder / VERSION / "model.onnx")
    config = MatteModelConfig(
        name, recipe.side, max_batch_size=size, kind=kind, card=json.dumps(card)
    )
    config.write(folder / "config.pbtxt")
    return ImportedModel(folder, size, verified)


class RawAnswer:
    """A foreign ONNX file, photo by photo, with numpy around it."""

    def __init__(self, path: Path, ports: Ports, recipe: Recipe) -> None:
        """Open the file.

        Raises:
            VerificationError: ONNX Runtime cannot load it.
        """
        self.ports = ports
        self.recipe = recipe
        self.session = open_session(path)

    def __call__(self, photos: Pixels) -> Pixels:
        """Cut (N, H, W, 3) uint8 photos out: (N, H, W, 1) uint8 mattes."""
        return np.concatenate([self._answer(photo) for photo in photos])

    def _answer(self, photo: Pixels) -> Pixels:
        recipe = self.recipe
        values = photo.astype(np.float32) / 255 * recipe.highest
        values = (values - np.array(recipe.mean)) / np.array(recipe.std)
        batch = values.transpose(2, 0, 1)[None].astype(self.ports.photo.dtype)
        matte = run(self.session, self.ports.matte.name, {self.ports.photo.name: batch})
        if matte.shape != (1, 1, recipe.side, recipe.side):
            raise ModelFileError(f"{self.ports.matte} answers {list(matte.shape)}")
        matte = matte.astype(np.float64)
        if recipe.activation is Activation.SIGMOID:
            matte = 1 / (1 + np.exp(-matte))
        rounded: Pixels = np.rint(matte.clip(0, 1) * 255).astype(np.uint8)
        return rounded.transpose(0, 2, 3, 1)


def _write(
    file: Path, model: Path, recipe: Recipe, metadata: dict[str, str]
) -> Callable[[Pixels], Pixels]:
    """Write the served graph; give what it must answer like."""
    if file.suffix == ".onnx":
        raw = read_onnx(file)
        ports = find_ports(raw, recipe)
        wrap(raw, ports, recipe, model, metadata)
        return RawAnswer(file, ports, recipe)
    if file.suffix not in WEIGHTS_SUFFIXES:
        known = ", ".join([".onnx", *sorted(WEIGHTS_SUFFIXES)])
        raise ModelFileError(f"{file} ends in none of {known}")
    if recipe.network is None:
        raise ModelFileError(f"{file} holds weights alone; the recipe names no network for them")
    return _write_weights(file, model, recipe, metadata)


def _write_weights(
    file: Path, model: Path, recipe: Recipe, metadata: dict[str, str]
) -> Callable[[Pixels], Pixels]:
    """Write bare weights' network as a served graph. Needs torch."""
    from export.best_weights import Answer  # noqa: PLC0415
    from export.graph import write_onnx  # noqa: PLC0415
    from export.networks.isnet import ISNet  # noqa: PLC0415
    from export.networks.u2net import U2Net, u2netp  # noqa: PLC0415
    from export.weights_file import read_checkpoint  # noqa: PLC0415

    build = {"u2net": U2Net, "u2netp": u2netp, "isnet": ISNet}[str(recipe.network)]
    networks = build(), build()  # writing changes one
    for network in networks:
        read_checkpoint(network, file)
    write_onnx(networks[0], recipe.side, model, metadata, recipe)
    return Answer(networks[1], recipe)


def _prove(
    model: Path, answer: Callable[[Pixels], Pixels], side: int, real: list[Pixels], wanted: int
) -> tuple[int, Verified]:
    """Find the largest batch that the graph works for: the one wanted, or 1."""
    if wanted > 1:
        try:
            return wanted, verify(model, answer, side, real, batch_sizes=(1, 2))
        except VerificationError as exc:
            log.info("%s: no batches: %s", model, exc)
    return 1, verify(model, answer, side, real, batch_sizes=(1,))


def count_parameters(model: Path) -> int:
    """Count the numbers that a graph stores."""
    return sum(math.prod(each.dims) for each in onnx.load(model).graph.initializer)


def card_metadata(file: Path, name: str, recipe: Recipe) -> dict[str, str]:
    """Give the card that the written file carries."""
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise ModelFileError(f"{file} cannot be read: {exc}") from exc
    card = {
        **asdict(recipe),
        "name": name,
        "network": recipe.network or file.name,
        "file": file.name,
        "sha256": digest,
        "sources": [
            {"pictures": "published model", "origin": recipe.source, "licence": recipe.licence}
        ],
    }
    return {
        "model": name,
        "licence": recipe.licence,
        "source": recipe.source,
        "card": json.dumps(card),
    }
