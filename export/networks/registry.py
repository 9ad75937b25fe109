"""The networks that training and building know, by the module that a card names."""

from collections.abc import Mapping
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from export.errors import CheckpointError
from export.networks.lite import LiteMatte
from export.networks.matte import Matte


class Trainable(Protocol):
    """What training asks of a network besides being a module."""

    def levels(self, photo: Tensor) -> list[Tensor]:
        """Give logits (N, 1, h, w), full size first, then those of coarser levels."""


NETWORKS: dict[str, type[nn.Module]] = {"matte": Matte, "lite": LiteMatte}
PACKAGE = "export.networks."
COUNTERS = "num_batches_tracked"  # only training counts


def network_of(name: str) -> nn.Module:
    """Build a network with random weights.

    Args:
        name: of a module of ``export.networks``, with or without the package.

    Raises:
        CheckpointError: there is no such network to train.
    """
    kind = NETWORKS.get(name.removeprefix(PACKAGE))
    if kind is None:
        known = ", ".join(sorted(NETWORKS))
        raise CheckpointError(f"no network {name!r} to train or build; there are {known}")
    return kind()


def network_like(state: Mapping[str, Tensor]) -> nn.Module:
    """Build the network, with random weights, that stored weights fit by their names.

    Raises:
        CheckpointError: they fit none.
    """
    for kind in NETWORKS.values():
        network = kind()
        names = {name for name in network.state_dict() if not name.endswith(COUNTERS)}
        if names == {name for name in state if not name.endswith(COUNTERS)}:
            return network
    raise CheckpointError(f"weights named {sorted(state)[:3]} and so on fit no network to train")


def seeded_network(name: str, seed: int) -> nn.Module:
    """Build a network with random weights that depend on name and seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network_of(name)


def levels_of(network: nn.Module, photo: Tensor) -> list[Tensor]:
    """Ask a network of the registry for all its levels."""
    return cast("Trainable", network).levels(photo)
