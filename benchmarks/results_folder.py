"""The records of a results folder, by benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import Record, read_record

Row = Mapping[str, Any]

ASKED = "asked_per_s"  # what an open loop of `load` sends; a closed loop's rows lack it


@dataclass(frozen=True)
class Saved:
    """What a folder holds."""

    records: Mapping[str, Record]  # by their files' names
    unreadable: Sequence[str]  # what is wrong with each JSON file that is no record

    def of(self, benchmark: str) -> list[Record]:
        """Return the records of one benchmark; several machines may have one each."""
        return [one for one in self.records.values() if one.benchmark == benchmark]

    def rows(self, benchmark: str) -> Iterator[tuple[Record, Row]]:
        """Return each row of a benchmark with the record that it stands in."""
        for record in self.of(benchmark):
            for row in record.rows:
                yield record, row


def read_folder(folder: Path) -> Saved:
    """Read every record of a folder.

    Raises:
        ValueError: There is no such folder, or no record in it.
    """
    records: dict[str, Record] = {}
    unreadable = []
    for path in sorted(folder.glob("*.json")):
        try:
            records[path.name] = read_record(path)
        except ValueError as exc:
            unreadable.append(str(exc))
    if not records:
        raise ValueError(f"{folder} holds no benchmark's record; run some benchmarks first")
    return Saved(records, unreadable)


def machine_name(record: Record) -> str:
    """Name the machine in a line: processor, cores, memory, GPU."""
    machine = record.machine
    memory_gib = round(machine["memory_bytes"] / 2**30)
    name = f"{machine['cpu']}, {machine['cores']} cores, {memory_gib} GiB"
    return f"{machine['gpu']}; {name}" if machine.get("gpu") else name
