"""The service's models, and where each comes from."""

from dataclasses import dataclass

from packshot.v1 import packshot_pb2 as pb


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Pictures or weights that a model is made from.

    Attributes:
        description: What they are.
        origin: Public repository, package or address.
        licence: Their licence.
    """

    description: str
    origin: str
    licence: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Where a model comes from and how well it does, as its maker says.

    Attributes:
        licence: Of the weights.
        network: The network's module or name.
        parameters: How many the network has.
        precision: Numbers that it computes with: "fp32", "fp16" or "int8"; empty if untold.
        training_command: What trained it; empty for weights that were brought along.
        seed: Of that command.
        sources: What it learned from.
        measures: How well it does, by the set of pictures and the measure's name, such as
            `measures["photos"]["iou"]`, 0 to 1.
    """

    licence: str
    network: str
    parameters: int
    precision: str
    training_command: str
    seed: int
    sources: tuple[ModelSource, ...]
    measures: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Model:
    """A matting model of the service.

    Attributes:
        name: Its name, as `render` takes it.
        version: The version that answers now; empty while it is not ready.
        ready: Whether it answers now.
        is_default: Whether it cuts when a call names none.
        input_width_px: Width at which the network sees a photo; 0 while it is not ready.
        input_height_px: Height at which the network sees a photo; 0 while it is not ready.
        card: Where it comes from; None while it is not ready, or if it carries no card.
    """

    name: str
    version: str
    ready: bool
    is_default: bool
    input_width_px: int
    input_height_px: int
    card: ModelCard | None = None


def from_models(response: pb.ListModelsResponse) -> list[Model]:
    """Read the list of models."""
    return [
        Model(
            name=model.name,
            version=model.version,
            ready=model.ready,
            is_default=model.is_default,
            input_width_px=model.input_width_px,
            input_height_px=model.input_height_px,
            card=_card(model.card) if model.HasField("card") else None,
        )
        for model in response.models
    ]


def _card(card: pb.ModelCard) -> ModelCard:
    measures: dict[str, dict[str, float]] = {}
    for each in card.measures:
        measures.setdefault(each.pictures, {})[each.measure] = each.value
    return ModelCard(
        licence=card.licence,
        network=card.network,
        parameters=card.parameters,
        precision=card.precision,
        training_command=card.training_command,
        seed=card.seed,
        sources=tuple(
            ModelSource(each.description, each.origin, each.licence) for each in card.sources
        ),
        measures=measures,
    )
