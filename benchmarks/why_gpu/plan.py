"""How thoroughly to measure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What is measured on a device, and for how long."""

    sides: Sequence[int] = (64, 256, 1024, 2048, 4096)  # of square matrices
    batches: Sequence[int] = (1, 2, 4, 8, 16)  # photos in a pass
    batch: int = 8  # where a statement takes one batch size
    rounds: int = 3  # how often each measurement takes its turn
    turn_s: float = 0.4  # least time of a turn, s
    # After a batch that takes longer no larger one is tried: nobody waits so long for a photo, and
    # on a CPU it would be most of the run
    longest_pass_s: float = 2.0
    megapixels: Sequence[float] = (1.0, 4.0)  # of the photos that go through the whole pipeline
    files: int = 4  # how many of them the pipeline takes at once, by megapixels
    pipeline_s: float = 3.0  # how long each whole pipeline runs


CPU = Plan()
# At the last side the best GPUs are saturated, at the last batch every network here.
GPU = Plan(
    sides=(64, 256, 1024, 4096, 8192, 16384),
    batches=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    batch=32,
    rounds=2,
    turn_s=0.1,
    longest_pass_s=0.4,
    files=32,
    pipeline_s=2.0,
)
# The CPU beside a GPU: enough to compare with.
CPU_BESIDE = Plan(
    sides=(1024, 4096), batches=(1, 8, 32), batch=32, rounds=2, turn_s=0.2, longest_pass_s=1.0
)
QUICK = Plan(
    sides=(64, 256),
    batches=(1, 2),
    batch=2,
    rounds=1,
    turn_s=0.02,
    megapixels=(0.25,),
    files=2,
    pipeline_s=0.1,
)
