"""Chance that a seed decides: every random number of a training picture is drawn here."""

import torch
from torch import Tensor


class Dice:
    """Random numbers, one for each picture of a batch.

    Those of the CPU are the same on every machine; a GPU draws its own, where they are used.
    """

    def __init__(self, *seeds: int, device: torch.device | str = "cpu") -> None:
        """Mix the seeds (a run's, a step's, …) into one stream, drawn on a device."""
        self.device = torch.device(device)
        mixed = 0x9E3779B97F4A7C15
        for seed in seeds:
            mixed = ((mixed ^ seed) * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) % 2**63
            mixed ^= mixed >> 29
        self.generator = torch.Generator(self.device).manual_seed(mixed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw float32 from [low, high)."""
        return self._rand(*shape) * (high - low) + low

    def normal(self, deviation: float, *shape: int) -> Tensor:
        """Draw float32 around 0."""
        drawn = torch.randn(shape, generator=self.generator, device=self.device)
        return drawn * deviation

    def chance(self, share: float, *shape: int) -> Tensor:
        """Draw 1.0 with the given chance, else 0.0."""
        return (self._rand(*shape) < share).float()

    def happens(self, share: float) -> bool:
        """Draw once for a whole batch."""
        return bool(self._rand(1) < share)

    def below(self, end: int, count: int) -> Tensor:
        """Draw ``count`` whole numbers from [0, end)."""
        return torch.randint(end, (count,), generator=self.generator, device=self.device)

    def kinds(self, weights: dict[str, float], count: int) -> list[str]:
        """Draw ``count`` names in proportion to their weights."""
        names = list(weights)
        drawn = torch.multinomial(
            torch.tensor([float(weights[name]) for name in names], device=self.device),
            count,
            replacement=True,
            generator=self.generator,
        )
        return [names[index] for index in drawn.tolist()]

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)
