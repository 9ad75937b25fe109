"""The drill: one job undisturbed, one that is killed again and again, and what both come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.catalogue_drill.run import JobRun, Kill, count_files, run_to_the_end
from tests.catalogue_drill.stack import Stack
from tests.catalogue_drill.state import State, reasons, state_of

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one job.

    Attributes:
        run: How it went.
        state: What it left.
        spent: Credits that it cost.
        held: Credits that are held.
        renders: Packshots that the gateways have made for it.
    """

    run: JobRun
    state: State
    spent: int
    held: int
    renders: int

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {times}" for name, times in Counter(self.run.kills).items())
        return (
            f"{self.run.seconds:.0f} s, {self.run.starts} starts, killed: {kills or 'nothing'}; "
            f"{self.state.rows} rows, {len(self.state.files)} files, {self.spent} credits spent, "
            f"{self.held} held, "
            f"{self.renders - self.state.rendered} rendered once more; "
            f"{dict(reasons(self.state))}; {self.run.log.splitlines()[-1]}"
        )


def arguments_of(stack: Stack, photos: Path, output: Path, batch: int) -> list[str]:
    """Return the arguments of a drill's command."""
    return [
        *("--input", str(photos), "--output", str(output), "--target", stack.target),
        *("--workers", str(WORKERS), "--batch", str(batch), "--preset", "amazon-main"),
        *("--size", "512"),
    ]


def hold(
    stack: Stack, photos: Path, count: int, output: Path, kills: Sequence[Kill], batch: int
) -> Outcome:
    """Run one job to its end on a key of its own.

    Args:
        stack: The service.
        photos: The input.
        count: Photos in it.
        output: A folder that is not there yet.
        kills: What is killed on the way.
        batch: Photos of a batch.
    """
    key = stack.books.issue(2 * count)
    renders_before = stack.renders
    run = run_to_the_end(
        arguments_of(stack, photos, output, batch),
        output.with_suffix(".log"),
        {"PACKSHOT_API_KEY": key},
        lambda: count_files(output) / count,
        kills,
    )
    state = state_of(output)
    faults = state.faults(count) + stack.books.faults(key, 2 * count, state.rendered)
    assert not faults, (faults, run.log)
    _, held, spent = stack.books.figures(key)
    stack.wait()
    return Outcome(run, state, spent, held, stack.renders - renders_before)


def usual_kills(stack: Stack) -> list[Kill]:
    """The driver twice, a worker three times, Triton once and the gateway once."""
    return [
        Kill(0.08, "worker"),
        Kill(0.20, "driver"),
        Kill(0.32, "worker"),
        Kill(0.42, "Triton", stack.kill_triton),
        Kill(0.55, "driver"),
        Kill(0.65, "gateway", stack.kill_gateway),
        Kill(0.80, "worker"),
    ]
