"""IS-Net: the U of Us at half resolution, for finely shaped objects in large photos.

After "Highly Accurate Dichotomous Image Segmentation" (Qin et al., arXiv 2203.03041): U²-Net behind
a convolution of stride two, so that 1024x1024 pixels cost what 512x512 would. Names and shapes of
all weights are those of the published ``isnet-general-use.pth``, and of RMBG-1.4, which has the
same layers. Where those files give sigmoids, this network gives logits. The paper's second
network, which supervises features while training, is not part of it.
"""

from torch import Tensor, nn

from export.networks.u2net import FULL, NestedU, resize_like

STEM = 64  # channels at 1/2


class ISNet(NestedU):
    """Photo in, segmentation logits out."""

    def __init__(self) -> None:
        """Build with 44.0 million random weights."""
        super().__init__(STEM, FULL)
        self.conv_in = nn.Conv2d(3, STEM, 3, stride=2, padding=1)

    def forward(self, photo: Tensor) -> Tensor:
        """Give logits.

        Args:
            photo: (N, 3, H, W) float32, sRGB in [-0.5, 0.5]; trained at 1024x1024.

        Returns:
            (N, 1, H, W) float32 logits; their sigmoid is the matte.
        """
        return self.levels(photo)[0]

    def levels(self, photo: Tensor) -> list[Tensor]:
        """Give the finest side's logits and, for training, the five others', all at full size."""
        sides = self.side_logits(self.conv_in(photo))
        wanted = sides if self.training else sides[:1]
        return [resize_like(side, photo) for side in wanted]
