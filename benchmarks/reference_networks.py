"""Public networks with random weights: references for speed, which weights do not change."""

from pathlib import Path
from typing import TYPE_CHECKING

from export.recipes import PUBLIC_MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

REFERENCE_NETWORKS = ("u2netp", "u2net")


def write_reference_network(name: str, folder: Path) -> Path:
    """Export a public network behind the wire contract, at its published input size.

    Args:
        name: one of `REFERENCE_NETWORKS`.
        folder: Triton's model repository to write into; `NAME/1/model.onnx` is made.

    Returns:
        The ONNX file.
    """
    import torch  # noqa: PLC0415  only this benchmark needs it

    from export.graph import write_onnx  # noqa: PLC0415
    from export.networks.u2net import U2Net, u2netp  # noqa: PLC0415

    networks: dict[str, Callable[[], nn.Module]] = {"u2netp": u2netp, "u2net": U2Net}
    recipe = PUBLIC_MODELS[name].recipe
    path = folder / name / "1" / "model.onnx"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = networks[name]()
    write_onnx(network, recipe.side, path, {"weights": "random"}, recipe)
    return path
