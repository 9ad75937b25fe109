"""What an output holds in the end, for comparison with another's."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from catalogue.places import Place
from catalogue.results import Results
from catalogue.rows import OK


@dataclass(frozen=True, slots=True)
class State:
    """The end state of a job.

    Attributes:
        files: Digest of each packshot by its name.
        statuses: Status and reason of each photo by its id.
        digests: Digest of the packshot of each photo, as its row says.
        rows: Rows of the table, superseded ones included.
        others: Other files below the output: none may be left behind.
    """

    files: dict[str, str]
    statuses: dict[str, tuple[str, str | None]]
    digests: dict[str, str]
    rows: int
    others: tuple[str, ...]

    @property
    def rendered(self) -> int:
        """Photos with a packshot."""
        return sum(1 for status, _ in self.statuses.values() if status == OK)

    def faults(self, photos: int) -> list[str]:
        """Say what is not as it should be; empty if all is.

        Args:
            photos: How many there are.
        """
        checks = {
            f"{self.rows} rows for {photos} photos": self.rows == photos,
            f"{len(self.statuses)} ids for {photos} photos": len(self.statuses) == photos,
            f"{len(self.files)} files for {self.rendered} packshots": (
                len(self.files) == self.rendered
            ),
            "files are not what their rows say": self.files == self.digests,
            f"left behind: {self.others}": not self.others,
        }
        return [fault for fault, holds in checks.items() if not holds]

    def differences(self, other: "State") -> list[str]:
        """Say in what two end states differ; empty if in nothing."""
        return [
            f"{name}: {mine.get(name)} and {theirs.get(name)}"
            for mine, theirs in (
                (self.files, other.files),
                (self.statuses, other.statuses),
            )
            for name in sorted({*mine, *theirs})
            if mine.get(name) != theirs.get(name)
        ]


def state_of(folder: Path) -> State:
    """Read the end state of an output on this machine."""
    table = (
        Results(Place(str(folder)))
        .rows()
        .to_table(columns=["id", "status", "reason", "output", "output_digest"])
    )
    rows = table.to_pylist()
    files, others = {}, []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name.startswith("_"):
            continue
        if path.name.startswith(".") or path.suffix != ".jpg":
            others.append(name)
        else:
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return State(
        files,
        {row["id"]: (row["status"], row["reason"]) for row in rows},
        {row["output"]: row["output_digest"] for row in rows if row["status"] == OK},
        len(rows),
        tuple(others),
    )


def reasons(state: State) -> Counter[str]:
    """Count photos by status and reason."""
    return Counter(f"{status} {reason or ''}".strip() for status, reason in state.statuses.values())
