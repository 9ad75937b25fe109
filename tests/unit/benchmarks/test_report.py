"""The report, from canned records."""

import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.pareto import pareto_front
from benchmarks.report import style
from benchmarks.report.serving import stages_of
from benchmarks.report.style import plain
from tests.support.records import load_rows, save_all, save_record
from tests.unit.benchmarks.conftest import Command

_GPU = ("batches", "batches-6", "device-pipeline")


def test_nothing_on_the_front_is_beaten_in_both() -> None:
    points = [(10, 5), (20, 9), (15, 9), (30, 30), (25, 40), (30, 35)]
    rows = [{"images_per_s": rate, "p95_ms": ms} for rate, ms in points]
    front = [(row["images_per_s"], row["p95_ms"]) for row in pareto_front(rows)]
    assert front == [(10, 5), (20, 9), (30, 30)]


def test_stages_are_read_by_their_names() -> None:
    assert stages_of({"stage_decode_ms": 3.0, "stage_x_ms": None, "p50_ms": 9}) == {"decode": 3.0}


@pytest.mark.parametrize(
    ("value", "text"), [(1234567.0, "1,234,567"), (0.000234, "0.000234"), (2.345, "2.35"), (0, "0")]
)
def test_numbers_are_written_without_powers_of_ten(value: float, text: str) -> None:
    assert plain(value) == text


def test_the_page_holds_every_chart_and_asks_the_network_for_nothing(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The charts need half of the time at half of the resolution.
    monkeypatch.setitem(style.STYLE, "figure.dpi", 85)
    save_all(tmp_path)
    done = command("report", tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text()
    for name in ("sweep", "load", "stages", "roofline", "roofline-2", "peers", "why-gpu", *_GPU):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert min(picture.size) > 300
            assert picture.convert("L").getextrema() != (255, 255)
    assert page.count('src="data:image/png;base64,') == len(list(tmp_path.glob("*.png")))
    assert not re.search(r"https?://", page)
    assert "Made-up Processor" in page
    assert "H100" in page
    assert "interleaved, three rounds" in page
    assert "no record of cost" in page


def test_what_is_missing_and_what_is_no_record_is_named(command: Command, tmp_path: Path) -> None:
    save_record(tmp_path, "load.json", "load", load_rows())
    (tmp_path / "broken.json").write_text("{")
    done = command("report", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("sweep", "peers", "limits", "why-gpu", "cost"):
        assert f"missing: no record of {name}" in done.stdout
    assert "figures of a GPU" in done.stdout
    assert "broken.json" in (tmp_path / "report.html").read_text()


def test_a_text_in_a_record_cannot_become_markup(command: Command, tmp_path: Path) -> None:
    save_record(tmp_path, "load.json", "load", load_rows(), notes=["<script>alert(1)</script>"])
    assert command("report", tmp_path).returncode == 0
    assert "<script>" not in (tmp_path / "report.html").read_text()


def test_a_folder_without_records_is_an_error(command: Command, tmp_path: Path) -> None:
    done = command("report", tmp_path)
    assert done.returncode == 1
    assert "holds no benchmark's record" in done.stderr
