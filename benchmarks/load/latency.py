"""Percentiles by HdrHistogram: three significant digits from a microsecond to an hour."""

from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

_HIGHEST_US = 3_600_000_000
_DIGITS = 3
_PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)


class Latencies:
    """A histogram of times."""

    def __init__(self, times_s: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(1, _HIGHEST_US, _DIGITS)
        for time_s in times_s:
            if not self._histogram.record_value(max(1, round(time_s * 1e6))):
                raise ValueError(f"{time_s:g} s is longer than the hour that a histogram spans")

    def figures_ms(self) -> dict[str, float | None]:
        """Return `p50_ms` to `p99_9_ms` and `max_ms`; None of no time at all."""
        percentiles = {f"p{each:g}".replace(".", "_"): each for each in _PERCENTILES}
        return {
            f"{name}_ms": self.percentile_ms(each)
            for name, each in {**percentiles, "max": 100.0}.items()
        }

    def percentile_ms(self, percentile: float) -> float | None:
        """Return one percentile; None of no time at all."""
        if not self._histogram.get_total_count():
            return None
        return float(self._histogram.get_value_at_percentile(percentile)) / 1e3

    def encoded(self) -> str:
        """Return the histogram, in microseconds, in HdrHistogram's own format (V2, base64)."""
        return bytes(self._histogram.encode()).decode("ascii")
