"""Saves the best weights of training runs: averaged, rounded, evaluated, with a model card."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.errors import CheckpointError
from export.graph import ServedMatte
from export.measures import Agreement, agreement, mean_agreement
from export.networks.matte import count_parameters
from export.networks.registry import COUNTERS, PACKAGE, network_of
from export.photos import read_photos
from export.recipes import Recipe
from export.state_file import read_state
from export.training.checkpoint import KEPT_SUFFIX, load_state, load_weights
from export.training.gpu.record import RECORD, read_record
from export.training.gpu.record import WEIGHTS as DEVICE_BEST
from export.training.loop import BEST, CHECKPOINT
from export.training.provenance import ENCODER, OBJECTS, SOURCES, TEACHER
from export.weights_file import ModelCard, read_weights, write_weights


def save_best_weights(
    name: str,
    runs: list[Path],
    photos: Path,
    folder: Path,
    *,
    start_counts: int = 0,
    side: int | None = None,
) -> ModelCard:
    """Write ``NAME.safetensors`` and ``NAME.json`` from the best weights of training runs.

    Of several runs the weights are averaged, all alike (a uniform soup; Wortsman et al.: Model
    Soups, ICML 2022), which only makes sense for runs that share their beginning. That beginning
    can be one of them: what fine-tuning forgets of other pictures stays in part (Wortsman et al.:
    Robust fine-tuning of zero-shot models, CVPR 2022).

    Args:
        name: of the model.
        runs: folders of the training runs, the last one to end the last.
        photos: with reference mattes, to be judged by.
        folder: where weights and card go.
        start_counts: as how many runs the weights count that the first run went on from, themselves
            an average perhaps; 0 leaves them out.
        side: that the model is to be asked at, pixels; None: the last one that it was trained at.

    Returns:
        The card.

    Raises:
        CheckpointError: a folder holds no training run, or one of another network.
        PicturesError: the photos are not of the expected form.
    """
    states = [_run_of(run) for run in runs]
    config = states[-1]["config"]
    kind = config.get("network", "matte")  # runs before the option lack it
    network = network_of(kind)
    best = [_best_of(run) for run in runs]
    if start_counts:
        start = network_of(kind)
        load_weights(start, Path(states[0]["config"]["start"]))
        best = [start.state_dict()] * start_counts + best
    try:
        _fill(network, _average(best))
    except (KeyError, RuntimeError) as exc:
        raise CheckpointError(f"{runs[-1] / BEST} fits another network: {exc}") from exc
    weights = folder / f"{name}.safetensors"
    write_weights(network, weights)
    rounded = network_of(kind)
    read_weights(rounded, weights)
    history = _history(states)
    known = " ".join(history)

    def any_of(option: str) -> bool:
        # Packs hold a larger network's mattes and modelled objects.
        packed = option != "encoder" and any("device" in state for state in states)
        return packed or f" --{option} " in known

    side = side or config["stages"][-1]["side"]
    judged = judge(rounded, photos, side)
    measures = {"photos": {"iou": round(judged.iou, 4), "mae": round(judged.mae, 4)}}
    if len(states) == 1 and not start_counts:
        measures = {"held_out": {"iou": round(states[0]["best_iou"], 4)}} | measures
    card = ModelCard(
        name=name,
        network=f"{PACKAGE}{kind}",
        licence="Apache-2.0",
        side=side,
        parameters=count_parameters(network),
        command="; ".join(history),
        seed=config["seed"],
        trained={
            "steps": sum(steps for steps, _ in history.values()),
            "minutes": round(sum(minutes for _, minutes in history.values())),
            **_on_device(states[-1]),
        },
        measures=measures,
        sources=SOURCES + (OBJECTS if any_of("objects") else ()),
        learned_from=(ENCODER if any_of("encoder") else ()) + (TEACHER if any_of("mattes") else ()),
    )
    card.write(folder / f"{name}.json")
    return card


def _run_of(folder: Path) -> dict[str, Any]:
    """Read where a run stands: of one on a device its record."""
    if (folder / RECORD).exists():
        return read_record(folder)
    return load_state(folder / CHECKPOINT)


def _best_of(folder: Path) -> dict[str, Tensor]:
    if (folder / RECORD).exists():
        return read_state(folder / DEVICE_BEST)
    return load_state(folder / BEST)


def _on_device(state: dict[str, Any]) -> dict[str, Any]:
    """Give what the card says of a run on a device: which, how long, how many pictures it saw."""
    if "device" not in state:
        return {}
    return {
        "device": state["device"],
        "device_seconds": state["trained_s"],
        "device_pictures": state["pictures"],
    }


def _fill(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Fill a network; only what counts steps may be missing."""
    wanted = network.state_dict()
    counters = {name: one for name, one in wanted.items() if name.endswith(COUNTERS)}
    network.load_state_dict(counters | weights)


def _average(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average weights by name; counters are the last one's."""
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }


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

    def __init__(self, network: nn.Module, recipe: Recipe | None = None) -> None:
        """Wrap; the network is put into evaluation mode."""
        self.served = ServedMatte(network, recipe).eval()

    @torch.inference_mode()
    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut (N, H, W, 3) uint8 photos out: (N, H, W, 1) uint8 mattes."""
        mattes: NDArray[np.uint8] = self.served(
            torch.from_numpy(np.require(photos, requirements="W"))
        ).numpy()
        return mattes


def _history(states: list[dict[str, Any]]) -> dict[str, tuple[int, float]]:
    """Give steps and minutes of runs and of all that they went on from, by command, in order."""
    found: dict[str, tuple[int, float]] = {}
    for state in states:
        start = Path(state["config"]["start"])
        if start.suffix == KEPT_SUFFIX:
            card = ModelCard.read(start.with_suffix(".json"))
            steps, minutes = int(card.trained["steps"]), float(card.trained["minutes"])
            found.setdefault(card.command, (steps, minutes))
        elif state["config"]["start"]:
            found |= _history([load_state(start.parent / CHECKPOINT)]) | found
        command = state.get("command") or _command(state["config"])
        found.setdefault(command, (state["step"], state["trained_s"] / 60))
    return found


def _command(config: dict[str, Any]) -> str:
    command = f"python -m export train --seed {config['seed']}"
    if config["minutes"] is not None:
        command += f" --minutes {config['minutes']:g}"
    if config.get("mixed_precision"):  # runs before the option lack it
        command += " --mixed-precision"
    for name in ("encoder", "mattes", "objects", "start", "teacher"):
        if config.get(name):
            command += f" --{name} {config[name]}"
    return command
