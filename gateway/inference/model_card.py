"""A model's card, which its maker put into Triton's configuration of the model."""

import json
import logging
from dataclasses import dataclass
from typing import Any, Final

log = logging.getLogger(__name__)

# The parameter of config.pbtxt that holds the card, JSON.
CARD_PARAMETER: Final = "model_card"


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Pictures or weights that a model is made from."""

    description: str
    origin: str
    licence: str


@dataclass(frozen=True, slots=True)
class ModelMeasure:
    """One figure of a model on one set of pictures."""

    pictures: str
    measure: str
    value: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Where a model comes from and how well it does.

    Attributes:
        licence: Of the weights.
        network: The network's module or name.
        parameters: How many it has.
        precision: Numbers that it computes with; empty if the card does not tell.
        training_command: What trained it; empty for weights that were brought along.
        seed: Of that command.
        sources: Its training pictures or weights.
        measures: How well it does.
    """

    licence: str
    network: str
    parameters: int
    precision: str
    training_command: str
    seed: int
    sources: tuple[ModelSource, ...]
    measures: tuple[ModelMeasure, ...]


def read_card(model: str, text: str) -> ModelCard | None:
    """Read a card.

    Args:
        model: The model's name, for the log.
        text: What its configuration holds; empty if it has no card.

    Returns:
        The card; None if there is none, or none that can be read, which is logged.
    """
    if not text:
        return None
    try:
        card: dict[str, Any] = json.loads(text)
        return ModelCard(
            licence=str(card["licence"]),
            network=str(card["network"]),
            parameters=int(card["parameters"]),
            precision=str(card.get("precision", "")),
            training_command=str(card.get("command", "")),
            seed=int(card.get("seed", 0)),
            sources=tuple(
                ModelSource(each["pictures"], each["origin"], each["licence"])
                for each in card.get("sources", ())
            ),
            measures=tuple(
                ModelMeasure(pictures, measure, float(value))
                for pictures, found in card.get("measures", {}).items()
                for measure, value in found.items()
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        log.warning("the card of model %s cannot be read: %s", model, exc)
        return None
