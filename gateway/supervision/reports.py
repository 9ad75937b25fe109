"""What a gateway process tells its supervisor, twice a second and by one message each time.

The messages are JSON over a socket of packets, so that none is ever half a message.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from prometheus_client.core import Metric

INTERVAL_S: Final = 0.5
# What a socket of packets takes by default; metrics of a thousand models come to as much.
MAX_BYTES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a metric that a collector makes."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric that a collector makes: it is in no file of prometheus_client's."""

    name: str
    text: str
    kind: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a gateway process.

    Attributes:
        error: Why it cannot start; empty if it can.
        is_ready: Whether it renders photos.
        silence_s: Seconds since its event loop last turned.
        images: Photos rendered, by it and those before it of the same number.
        families: What its collectors show.
    """

    error: str = ""
    is_ready: bool = False
    silence_s: float = 0.0
    images: float = 0.0
    families: tuple[Family, ...] = ()

    def encoded(self) -> bytes:
        """Return it as a message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decoded(cls, message: bytes) -> Self:
        """Return what a message says."""
        words: dict[str, Any] = json.loads(message)
        families = tuple(
            Family(**{**family, "samples": tuple(Sample(**each) for each in family["samples"])})
            for family in words.pop("families")
        )
        return cls(**words, families=families)


def collected(families: Iterable[Metric]) -> tuple[Family, ...]:
    """Return metrics as reports have them."""
    return tuple(
        Family(
            family.name,
            family.documentation,
            family.type,
            tuple(Sample(each.name, dict(each.labels), each.value) for each in family.samples),
        )
        for family in families
    )
