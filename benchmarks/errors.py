"""The error of the benchmarks."""

from serving.errors import ServingError


class BenchmarkError(ServingError):
    """Something cannot be measured, or a result cannot be applied; the message says why."""
