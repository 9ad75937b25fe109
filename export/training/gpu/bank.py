"""Pictures in a device's memory, by use and kind; each kind grows, then forgets its oldest."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor

from export.training.cutouts import Pixels
from export.training.dice import Dice

FIRST_ROOM: Final = 64  # pictures a kind has room for at first
MOST_READ: Final = 20_000  # pictures of a kind that is read from packs
PHOTO, CUTOUT, GROUND = "photo", "cutout", "ground"  # what a picture is used as


@dataclass
class Shelf:
    """Pictures of one use and kind: (room, C, S, S) uint8, of which ``filled`` count."""

    pixels: Tensor
    filled: int = 0
    seen: int = 0  # all that were ever put here

    def put(self, new: Tensor, most: int) -> None:
        """Put (n, C, S, S) uint8 here; beyond ``most`` pictures the oldest make room."""
        for one in new:
            if self.filled == len(self.pixels) and self.filled < most:
                room = min(max(2 * self.filled, FIRST_ROOM), most)
                grown = self.pixels.new_empty(room, *self.pixels.shape[1:])
                grown[: self.filled] = self.pixels
                self.pixels = grown
            self.pixels[self.seen % len(self.pixels)] = one
            self.seen += 1
            self.filled = min(self.filled + 1, len(self.pixels))


@dataclass
class DeviceBank:
    """What scenes are made of, on one device.

    ``most``: pictures of a kind of ``endless``, which is rendered all the time; read ones all stay.
    """

    device: torch.device
    most: int = 1500
    endless: frozenset[tuple[str, str]] = frozenset()
    shelves: dict[tuple[str, str], Shelf] = field(default_factory=dict)

    def put(self, use: str, kind: str, pictures: list[Pixels]) -> None:
        """Put pictures (H, W, C) uint8, all of one size, on a shelf."""
        stacked = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
        new = torch.from_numpy(stacked).to(self.device)
        most = self.most if (use, kind) in self.endless else MOST_READ
        shelf = self.shelves.get((use, kind))
        if shelf is None:
            shelf = Shelf(new.new_empty(min(FIRST_ROOM, most), *new.shape[1:]))
            self.shelves[use, kind] = shelf
        shelf.put(new, most)

    def kinds(self, use: str) -> list[str]:
        """List the kinds that a use has pictures of."""
        return sorted(kind for own, kind in self.shelves if own == use)

    def draw(self, dice: Dice, use: str, kind: str, count: int) -> Tensor:
        """Draw pictures, (count, C, S, S) uint8.

        Raises:
            KeyError: there is none of that kind.
        """
        shelf = self.shelves[use, kind]
        return shelf.pixels[dice.below(shelf.filled, count)]

    def draw_mixed(self, dice: Dice, use: str, weights: dict[str, float], count: int) -> Tensor:
        """Draw pictures of several kinds by their weights; kinds without pictures are left out.

        Raises:
            KeyError: no kind has any.
        """
        there = {kind: share for kind, share in weights.items() if (use, kind) in self.shelves}
        if not there:
            raise KeyError(f"the bank holds no {use} of {sorted(weights)}")
        # One large gather for each kind; then each picture's own row.
        drawn = dice.kinds(there, count)
        order = sorted(range(count), key=drawn.__getitem__)
        parts = [self.draw(dice, use, kind, drawn.count(kind)) for kind in sorted(set(drawn))]
        mixed = torch.cat(parts)
        back = torch.empty(count, dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(count)
        return mixed[back.to(self.device)]

    def count(self) -> dict[str, int]:
        """Count pictures by use and kind."""
        return {f"{use} {kind}": shelf.filled for (use, kind), shelf in self.shelves.items()}
