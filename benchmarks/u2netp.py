"""rembg's U²-NetP: the network that others are compared on.

Where the published file is not at hand, one with random weights stands in for it: no pass takes
longer or shorter for its weights. What comes after the network does depend on the matte, so the
stand-in answers with a product's: an ellipse that fills a third of the picture, with a soft edge,
to which the random network adds a thousandth.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.errors import BenchmarkError
from export.errors import ExportError
from export.import_model import import_model
from export.recipes import PUBLIC_MODELS

if TYPE_CHECKING:
    from torch import Tensor

U2NETP = "u2netp"
# The largest concurrency that is measured: Triton may batch all that wait.
_MAX_BATCH_SIZE = 8
# Half axes of the ellipse, in half sides: a third of the picture, as product photos have it.
_ELLIPSE = (0.55, 0.75)
# Slope of the logits at the rim, per half axis: the edge is then about 8 pixels of 320 wide.
_EDGE = 100.0
_NETWORK_SHARE = 1e-3


def serve(u2netp: Path, repository: Path, pictures: Path) -> Path:
    """Wrap a U²-NetP that takes floats, as rembg takes it, for Triton.

    Args:
        u2netp: The file.
        repository: Triton's model repository to write into.
        pictures: A folder of photos that the wrapped file is checked on.

    Returns:
        The wrapped ONNX file.

    Raises:
        BenchmarkError: It cannot be wrapped.
    """
    recipe = PUBLIC_MODELS[U2NETP].recipe
    try:
        import_model(u2netp, U2NETP, recipe, repository, pictures, max_batch_size=_MAX_BATCH_SIZE)
    except ExportError as exc:
        raise BenchmarkError(f"{u2netp} cannot be served: {exc}") from exc
    return repository / U2NETP / "1/model.onnx"


def write_stand_in(path: Path) -> None:
    """Write a U²-NetP with random weights, as rembg takes it: floats in, a matte out.

    Raises:
        BenchmarkError: torch is not installed.
    """
    try:
        import torch  # noqa: PLC0415  only this needs it, and it takes seconds
        from torch import nn  # noqa: PLC0415

        from export.networks.u2net import u2netp  # noqa: PLC0415
    except ImportError as exc:
        raise BenchmarkError(
            "a stand-in for U²-NetP needs torch (make setup-dev); "
            "or fetch the published file: python -m export fetch u2netp"
        ) from exc
    for chatty in ("onnx_ir", "onnxscript", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    side = PUBLIC_MODELS[U2NETP].recipe.side

    class StandIn(nn.Module):
        """U²-NetP, whose answer is an ellipse nearly."""

        ellipse: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = u2netp()
            self.register_buffer("ellipse", _draw_ellipse(side))

        def forward(self, photo: torch.Tensor) -> torch.Tensor:
            logits = self.network(photo)  # (1, 1, side, side)
            return torch.sigmoid(self.ellipse + _NETWORK_SHARE * torch.tanh(logits))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = StandIn().eval()
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, side, side),),
        path,
        dynamo=True,
        external_data=False,
        opset_version=18,  # as export/graph.py
        input_names=["input.1"],  # as the published file calls it
        dynamic_shapes={"photo": {0: torch.export.Dim("batch", min=1, max=1024)}},
        verbose=False,
    )


def _draw_ellipse(side_px: int) -> "Tensor":
    """Draw logits, (1, 1, side, side), above zero inside."""
    import torch  # noqa: PLC0415  as above

    axis = torch.linspace(-1, 1, side_px)
    across, down = axis[None, :] / _ELLIPSE[0], axis[:, None] / _ELLIPSE[1]
    distance = torch.sqrt(across**2 + down**2)
    return (_EDGE * (1 - distance)).clamp(-20, 20)[None, None]
