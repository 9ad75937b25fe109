"""The generator's arithmetic: arrivals, percentiles, the steady part, late generators."""

import argparse
import asyncio
import random
import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from PIL import Image

from benchmarks.errors import BenchmarkError
from benchmarks.load.generator import (
    Mode,
    Plan,
    Sample,
    Sent,
    constant_arrivals,
    poisson_arrivals,
    send,
)
from benchmarks.load.latency import Latencies
from benchmarks.load.phase import Phase, carry_out
from benchmarks.load.photos import Mix, Photo, Size, make_photos, parse_size
from benchmarks.load.steady import steady_from
from benchmarks.load.summary import find_window, summarise, warnings_about

STAGES = {"decode": 0.02, "infer": 0.05, "total": 0.08}


def planned(mode: Mode = "closed", **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "photos": (),
        "duration_s": 10.0,
        "rate_per_s": 10.0,
        "timeout_s": 1.0,
    }
    return Plan("127.0.0.1:1", mode=mode, **(values | changes))


def every(distance_s: float, latency_s: float, count: int, lag_s: float = 0.0) -> list[Sample]:
    return [
        Sample(due, due + lag_s, due + latency_s, "OK", STAGES)
        for due in (number * distance_s for number in range(count))
    ]


def test_poisson_arrivals_have_the_rate_and_the_spread_of_the_process() -> None:
    moments = list(poisson_arrivals(50, 200, random.Random(3)))  # noqa: S311  no secret
    gaps = np.diff(moments)
    assert len(moments) == pytest.approx(10_000, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert moments == sorted(moments)
    assert moments[-1] < 200


def test_constant_arrivals_are_equally_far_apart() -> None:
    assert list(constant_arrivals(4, 1)) == [0, 0.25, 0.5, 0.75]


def test_percentiles_agree_with_the_exact_ones_to_three_digits() -> None:
    times_s = np.random.default_rng(1).lognormal(-3, 1, 20_000)
    figures = Latencies(times_s).figures_ms()
    for name, percentile in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        exact_ms = np.percentile(times_s, percentile, method="inverted_cdf") * 1e3
        assert figures[name] == pytest.approx(exact_ms, rel=0.002)


def test_a_histogram_that_was_written_is_read_by_the_library() -> None:
    read = HdrHistogram.decode(Latencies([0.1, 0.2]).encoded())
    assert read.get_total_count() == 2
    assert read.get_max_value() == pytest.approx(200_000, rel=0.001)


def test_of_no_time_there_is_no_percentile() -> None:
    assert Latencies().percentile_ms(99) is None


def test_the_rule_cuts_off_a_slow_start_and_leaves_a_steady_series_alone() -> None:
    noise = np.random.default_rng(5).normal(0.1, 0.005, 400)
    slow_start = np.concatenate([np.linspace(1.0, 0.1, 60), noise])
    start = steady_from(slow_start.tolist())
    assert start is not None
    assert 45 <= start <= 75
    steady = steady_from(noise.tolist())
    assert steady is not None
    assert steady < 100


def test_a_series_that_grows_to_its_end_is_not_steady() -> None:
    assert steady_from(np.linspace(0.1, 5, 200).tolist()) is None


def test_a_handful_of_values_is_not_steady() -> None:
    assert steady_from([0.1] * 9) is None


def test_throughput_is_of_the_window_alone() -> None:
    window = find_window(every(0.1, 0.05, 100), duration_s=10, warm_up_s=2)
    assert window.steady
    assert window.images_per_s == pytest.approx(10, rel=0.03)
    assert min(sample.due_s for sample in window.samples) >= 2


def test_a_wait_that_the_generator_caused_is_in_the_latency_and_named() -> None:
    late = Phase(planned(), Sent(every(0.1, 0.25, 100, lag_s=0.2), cpu_s=1.0), 4.0, 1000)
    row = summarise({"phase": "late"}, [late], warm_up_s=1)
    assert row["p50_ms"] == pytest.approx(250, rel=0.01)
    assert row["from_sending_p50_ms"] == pytest.approx(50, rel=0.01)
    assert row["lag_p99_ms"] == pytest.approx(200, rel=0.01)
    assert any("generator itself was late" in note for note in warnings_about(row))


def test_the_stages_add_up_to_the_mean_latency() -> None:
    phase = Phase(planned(), Sent(every(0.1, 0.1, 100), cpu_s=1.0), 5.0, 1000)
    row = summarise({"phase": "one"}, [phase], warm_up_s=1)
    stages = {key: value for key, value in row.items() if key.startswith("stage_")}
    assert set(stages) == {
        "stage_decode_ms",
        "stage_infer_ms",
        "stage_waiting_ms",
        "stage_outside_ms",
    }
    assert sum(stages.values()) == pytest.approx(100)
    assert row["cpu_s_per_image"] == pytest.approx(0.05)
    assert warnings_about(row) == []


def test_repeats_that_differ_are_called_so() -> None:
    repeats = [
        Phase(planned(), Sent(every(distance_s, 0.05, round(10 / distance_s)), 1.0), None, None)
        for distance_s in (0.1, 0.1, 0.2)
    ]
    row = summarise({"phase": "noisy"}, repeats, warm_up_s=1)
    assert row["images_per_s"] == pytest.approx(10, rel=0.05)
    assert row["images_per_s_low"] == pytest.approx(5, rel=0.05)
    assert row["cpu_s_per_image"] is None
    assert any("spread" in note for note in warnings_about(row))


def test_refusals_count_and_are_no_latencies() -> None:
    refused = [
        Sample(s.due_s, s.sent_s, s.due_s + 0.001, "UNAVAILABLE", {}) for s in every(1, 0, 9)
    ]
    phase = Phase(planned(), Sent([*every(0.1, 0.1, 100), *refused], 1.0), None, None)
    row = summarise({"phase": "some"}, [phase], warm_up_s=0)
    assert row["statuses"] == "OK 100, UNAVAILABLE 9"
    assert row["p50_ms"] == pytest.approx(100, rel=0.01)
    assert any("not every request" in note for note in warnings_about(row))


def test_bulk_work_counts_in_throughput_and_is_no_latency() -> None:
    bulk = [replace(sample, done_s=sample.due_s + 2, is_bulk=True) for sample in every(0.1, 0, 80)]
    sent = Sent(sorted([*every(0.1, 0.1, 100), *bulk], key=lambda one: one.due_s), 1.0)
    row = summarise({"phase": "both"}, [Phase(planned(), sent, None, None)], warm_up_s=0)
    assert row["images_per_s"] > 15
    assert row["max_ms"] == pytest.approx(100, rel=0.01)
    assert row["statuses"].startswith("OK ")
    assert ", bulk OK " in row["statuses"] or "bulk OK" in row["statuses"]
    assert row["ok_share"] == 1


def test_each_photo_is_drawn_as_often_as_its_weight_says_in_an_order_by_chance(
    tmp_path: Path,
) -> None:
    weights = {"a": 20, "b": 40, "c": 30, "d": 10}
    for name in weights:
        (tmp_path / name).write_text(name)
    photos = [Photo(str(tmp_path / name), weight) for name, weight in weights.items()]
    orders = set()
    for seed in range(5):
        mix = Mix(photos, random.Random(seed))  # noqa: S311
        drawn = [mix.draw().decode() for _ in range(30)]
        orders.add("".join(drawn))
        assert Counter(drawn[:10]) == Counter(drawn[10:20]) == {"a": 2, "b": 4, "c": 3, "d": 1}
    assert len(orders) == 5


def test_photos_have_the_sizes_and_weights_of_the_mix(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), "red").save(tmp_path / "a.jpg")
    Image.new("RGB", (300, 400), "blue").save(tmp_path / "b.jpg")
    out = tmp_path / "out"
    out.mkdir()
    photos = make_photos(tmp_path, [Size(0.5, 3), Size(1, 1)], out)
    assert len(photos) == 4
    assert sorted(photo.weight for photo in photos) == [1, 1, 3, 3]
    sizes = []
    for photo in photos:
        with Image.open(photo.path) as opened:
            sizes.append(opened.width * opened.height / 1e6)
    assert sorted(sizes) == pytest.approx([0.5, 0.5, 1, 1], rel=0.01)


def test_a_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no photo"):
        make_photos(tmp_path, [Size(1)], tmp_path)


def test_sizes_are_read_from_the_command_line() -> None:
    assert parse_size("4") == Size(4, 1)
    assert parse_size("0.5:20") == Size(0.5, 20)
    for wrong in ("big", "1:", "0", "1:-2", "1:0.5", "nan"):
        if wrong == "1:":
            assert parse_size(wrong) == Size(1, 1)
            continue
        with pytest.raises(argparse.ArgumentTypeError):
            parse_size(wrong)


def test_a_plan_and_its_samples_survive_the_way_between_processes() -> None:
    plan = planned("poisson", photos=(Photo("a.jpg", 2),), options={"format": "png"})
    assert Plan.from_json(plan.to_json()) == plan
    sent = Sent(every(0.1, 0.1, 3), 0.5)
    assert Sent.from_json(sent.to_json()) == sent


def test_a_generator_without_a_gateway_says_why_it_ended() -> None:
    with pytest.raises(BenchmarkError, match="UnavailableError"):
        carry_out(planned(), servers=())


def test_open_arrivals_do_not_wait_for_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that takes a second still gets all ten requests of a second, each on time."""

    class Slow:
        def __init__(self, *_: object, **__: object) -> None: ...

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def healthy(self, **_: object) -> bool:
            return True

        async def render(self, *_: object, **__: object) -> Any:
            await asyncio.sleep(1)
            return argparse.Namespace(picture=b"", stages_s=STAGES)

    monkeypatch.setattr("benchmarks.load.callers.AsyncClient", Slow)
    monkeypatch.setattr(
        "benchmarks.load.generator.Mix", lambda *_: argparse.Namespace(draw=lambda: b"")
    )
    sent = asyncio.run(send(planned("constant", duration_s=1.0)))
    assert len(sent.samples) == 10
    assert statistics.median(s.sent_s - s.due_s for s in sent.samples) < 0.1
    assert all(s.done_s - s.due_s >= 0.95 for s in sent.samples)
