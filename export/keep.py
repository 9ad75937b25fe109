"""Keeps a training run's best weights: rounded, judged, with their card."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.errors import CheckpointError
from export.graph import ServedMatte
from export.measures import Agreement, agreement, mean_agreement
from export.networks.matte import Matte, count_parameters
from export.photos import read_photos
from export.training.checkpoint import load_state
from export.training.loop import BEST, CHECKPOINT
from export.training.provenance import SOURCES
from export.weights_file import ModelCard, read_weights, write_weights


def keep(name: str, run: Path, photos: Path, folder: Path) -> ModelCard:
    """Write ``NAME.safetensors`` and ``NAME.json`` from the best weights of a training run.

    Args:
        name: of the model.
        run: folder of the training run.
        photos: with reference mattes, to be judged by.
        folder: where weights and card go.

    Returns:
        The card.

    Raises:
        CheckpointError: the folder holds no finished training run.
        PicturesError: the photos are not of the expected form.
    """
    state = load_state(run / CHECKPOINT)
    network = Matte()
    try:
        network.load_state_dict(load_state(run / BEST))
    except RuntimeError as exc:
        raise CheckpointError(f"{run / BEST} fits another network: {exc}") from exc
    weights = folder / f"{name}.safetensors"
    write_weights(network, weights)
    rounded = Matte()
    read_weights(rounded, weights)
    config = state["config"]
    runs = [*_history(config), state]
    side = config["stages"][-1]["side"]
    judged = judge(rounded, photos, side)
    card = ModelCard(
        name=name,
        network="export.networks.matte",
        licence="Apache-2.0",
        side=side,
        parameters=count_parameters(network),
        command="; ".join(_command(each["config"]) for each in runs),
        seed=config["seed"],
        trained={
            "steps": sum(each["step"] for each in runs),
            "minutes": round(sum(each["trained_s"] for each in runs) / 60),
        },
        measures={
            "held_out": {"iou": round(state["best_iou"], 4)},
            "photos": {"iou": round(judged.iou, 4), "mae": round(judged.mae, 4)},
        },
        sources=SOURCES,
    )
    card.write(folder / f"{name}.json")
    return card


def judge(network: nn.Module, photos: Path, side: int) -> Agreement:
    """Average a network's agreement with reference mattes."""
    answer = Answer(network)
    found = []
    for photo in read_photos(photos, side):
        matte = answer(photo.rgb[None])[0, :, :, 0].astype(np.float32) / 255.0
        found.append(agreement(matte, photo.reference))
    return mean_agreement(found)


class Answer:
    """A network behind the wire contract, arrays in and out."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap; the network is put into evaluation mode."""
        self.served = ServedMatte(network).eval()

    @torch.inference_mode()
    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut (N, H, W, 3) uint8 photos out: (N, H, W, 1) uint8 mattes."""
        mattes: NDArray[np.uint8] = self.served(
            torch.from_numpy(np.require(photos, requirements="W"))
        ).numpy()
        return mattes


def _history(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the states of the runs that this one went on from, the first one first."""
    if not config["start"]:
        return []
    before = load_state(Path(config["start"]).parent / CHECKPOINT)
    return [*_history(before["config"]), before]


def _command(config: dict[str, Any]) -> str:
    command = f"python -m export train --seed {config['seed']}"
    if config["minutes"] is not None:
        command += f" --minutes {config['minutes']:g}"
    if config["start"]:
        command += f" --start {config['start']}"
    return command
