"""How thoroughly the four statements are measured."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

GPU_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # past the knee of every network here


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long.

    Attributes:
        networks: By name, in the order of what they are worth to a reader.
        sides: Of square matrices.
        batches: Photos in a pass.
        batch: Where a statement takes one batch size.
        rounds: How often each measurement takes its turn.
        turn_s: Least time of a turn, s.
        longest_pass_s: After a batch that takes longer no larger one is tried: nobody waits so long
            for a photo, and on a CPU it would be most of the run.
        budget_s: Time after which nothing further is begun, s.
        begun_s: By the monotonic clock.
    """

    networks: Sequence[str] = ("matte", "alexnet", "u2netp", "u2net")
    sides: Sequence[int] = (64, 256, 1024, 2048, 4096)
    batches: Sequence[int] = (1, 2, 4, 8, 16)
    batch: int = 8
    rounds: int = 3
    turn_s: float = 0.4
    longest_pass_s: float = 2.0
    budget_s: float = float("inf")
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return time.monotonic() - self.begun_s > self.budget_s


QUICK = Plan(
    networks=("matte", "alexnet"),
    sides=(64, 256),
    batches=(1, 2),
    batch=2,
    rounds=1,
    turn_s=0.02,
)
