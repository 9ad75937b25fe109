"""The report of a flood: what is left of goodput, and how much later answers are."""

from dataclasses import replace

from benchmarks.load.generator import Plan, Sample, Sent
from benchmarks.overload import report, row_of


def sent(ok: int, latency_s: float, refused: int = 0) -> Sent:
    made = [Sample(0, 0, latency_s, "OK", {}) for _ in range(ok)]
    return Sent(made + [Sample(0, 0, 0.001, "RESOURCE_EXHAUSTED", {})] * refused, 0.0)


def test_the_report_of_a_run_names_both_ratios() -> None:
    plan = Plan("", "poisson", 1, 25.0, 10.0, 1.0, 1, ())
    rows = [
        row_of("peak", plan, sent(100, 0.1)),
        row_of("below", plan, sent(80, 0.1)),
        row_of(
            "above",
            plan,
            sent(50, 0.3, refused=200),
            (replace(plan, rate_per_s=15.0), sent(45, 2.0)),
        ),
    ]
    assert rows[2]["asked/s"] == 40
    assert rows[2]["interactive"] == "OK 50, RESOURCE_EXHAUSTED 200"
    table, ratios = report(rows)
    assert "above" in table
    assert "0.95 of the peak" in ratios
    assert "3.00 times that at 0.8" in ratios
