"""The models that every contender runs: the project's own, and rembg's U²-NetP.

rembg takes floats, Triton and the others take what `python -m export import` makes of the same
file. Where the published file is not at hand, a U²-NetP with random weights stands in for it: no
pass takes longer or shorter for its weights. What comes after the network does depend on the
matte, so the stand-in answers with a product's: an ellipse that fills a third of the picture, with
a soft edge, to which the random network adds a thousandth.
"""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.errors import PeerError
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


def make_repository(
    model: str, source: Path, folder: Path, u2netp: Path | None, pictures: Path
) -> None:
    """Write a Triton repository of the models that are measured.

    Args:
        model: The project's own model.
        source: The repository that has it.
        folder: Where to write.
        u2netp: A U²-NetP as rembg takes it, to be wrapped; None: without.
        pictures: Photos that the wrapped file is checked on.

    Raises:
        PeerError: A model is missing, or cannot be wrapped.
    """
    if not (source / model / "config.pbtxt").is_file():
        raise PeerError(f"{source} has no model {model}")
    shutil.copytree(source / model, folder / model)
    if u2netp is None:
        return
    recipe = PUBLIC_MODELS[U2NETP].recipe
    try:
        import_model(u2netp, U2NETP, recipe, folder, pictures, max_batch_size=_MAX_BATCH_SIZE)
    except ExportError as exc:
        raise PeerError(f"{u2netp} cannot be served: {exc}") from exc


def onnx_of(repository: Path, model: str) -> Path:
    """Return a model's file in a repository."""
    return (repository / model / "1/model.onnx").resolve()


def write_stand_in(path: Path) -> None:
    """Write a U²-NetP with random weights, as rembg takes it: floats in, a matte out.

    Raises:
        PeerError: torch is not installed.
    """
    try:
        import torch  # noqa: PLC0415  only this needs it, and it takes seconds
        from torch import nn  # noqa: PLC0415

        from export.networks.u2net import u2netp  # noqa: PLC0415
    except ImportError as exc:
        raise PeerError(
            "a stand-in for U²-NetP needs torch (make setup-dev); "
            "or fetch the published file: python -m export fetch u2netp"
        ) from exc
    for chatty in ("onnx_ir", "onnxscript", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    recipe = PUBLIC_MODELS[U2NETP].recipe

    class StandIn(nn.Module):
        """U²-NetP, whose answer is an ellipse nearly."""

        ellipse: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = u2netp()
            self.register_buffer("ellipse", _draw_ellipse(recipe.side))

        def forward(self, photo: torch.Tensor) -> torch.Tensor:
            logits = self.network(photo)  # (1, 1, side, side)
            return torch.sigmoid(self.ellipse + _NETWORK_SHARE * torch.tanh(logits))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = StandIn().eval()
    example = torch.zeros(2, 3, recipe.side, recipe.side)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (example,),
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
