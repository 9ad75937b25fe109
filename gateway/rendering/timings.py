"""How long the stages of one render took."""

from dataclasses import dataclass

from gateway.observability.labels import Stage


@dataclass(frozen=True, slots=True)
class StageTime:
    """The time of one stage that is over.

    Attributes:
        stage: Which.
        duration_s: How long it took, s.
        start_ns: When it began, as `time.time_ns` tells; None if it is not one span of time, or
            has a span already.
    """

    stage: Stage
    duration_s: float
    start_ns: int | None = None
