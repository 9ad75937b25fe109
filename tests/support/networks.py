"""A network's arithmetic, told by a few of its answers."""

import torch
from torch import Tensor, nn


def probed(network: nn.Module) -> Tensor:
    """Set a network's weights to a ramp of waves, and return four of its logits.

    The weights are the same whatever torch draws, and so is the photo.
    """
    network.eval()
    with torch.inference_mode():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                wave = torch.cos(torch.arange(value.numel()) * 0.37 + len(name)).view_as(value)
                fan_in = max(value[0].numel(), 1) if value.ndim > 1 else 1
                value.copy_(wave * fan_in**-0.5 if value.ndim > 1 else 1 + 0.3 * wave)
        row, column = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
        photo = torch.stack([torch.sin(row * k / 9 + column * 0.1) for k in (1, 2, 3)])[None]
        logits: Tensor = network(photo)[0, 0]
    return logits[[5, 20, 40, 60], [8, 50, 33, 1]]
