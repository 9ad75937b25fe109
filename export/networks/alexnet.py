"""AlexNet as of 2012: a classical dense workload to load a server with.

After "ImageNet Classification with Deep Convolutional Neural Networks" (Krizhevsky, Sutskever,
Hinton, NIPS 2012), section 3: eight layers, convolutions in the two groups of its two GPUs, local
response normalisation, overlapping pooling. Nine tenths of its weights lie in two matrices, so
that a lone photo is bound by memory and a batch by arithmetic. It classifies and cuts nothing out.
"""

import torch
from torch import Tensor, nn

SIDE = 227  # the paper's 224 with the border that its arithmetic needs
CLASSES = 1000
NEIGHBOURS = 5  # channels that a response is normalised by


def _respond() -> nn.Module:
    """Normalise responses as section 3.3 does; torch divides alpha by the number of neighbours."""
    return nn.LocalResponseNorm(NEIGHBOURS, alpha=1e-4 * NEIGHBOURS, beta=0.75, k=2.0)


class AlexNet(nn.Module):
    """Photo in, class logits out; 61.0 million weights."""

    def __init__(self, classes: int = CLASSES) -> None:
        """Build with random weights."""
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4),  # 55x55
            nn.ReLU(inplace=True),
            _respond(),
            nn.MaxPool2d(3, stride=2),  # 27x27
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(inplace=True),
            _respond(),
            nn.MaxPool2d(3, stride=2),  # 13x13
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # 6x6
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, classes),
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Give class logits.

        Args:
            photo: (N, 3, 227, 227) float32, the training set's mean taken off.

        Returns:
            (N, classes) float32.
        """
        logits: Tensor = self.classifier(torch.flatten(self.features(photo), 1))
        return logits
