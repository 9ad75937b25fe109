"""The results that are committed can be read, and are the README's."""

from pathlib import Path

import pytest

from benchmarks.record import read_record
from benchmarks.results_folder import read_folder
from tests.support.records import GPU_MACHINE, pipeline_rows, save_record, why_rows
from tools.results_table import as_markdown, gpu_markdown, with_gpu_table, with_table

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


@pytest.mark.parametrize("folder", sorted(RESULTS.iterdir()), ids=lambda path: path.name)
def test_every_record_says_where_it_comes_from(folder: Path) -> None:
    saved = read_folder(folder)
    assert not saved.unreadable
    for record in saved.records.values():
        assert len(record.commit) == 40
        assert record.rows
        assert record.machine["cores"]


def test_the_readme_has_the_table_of_the_record() -> None:
    readme = (RESULTS.parents[1] / "README.md").read_text()
    assert with_table(readme) == readme
    table = as_markdown(read_record(RESULTS / "two-cores" / "peers.json"))
    assert table.count("/s, ") == 8


def test_the_benchmarks_document_has_the_table_of_the_records() -> None:
    document = (RESULTS.parents[1] / "docs" / "benchmarks.md").read_text()
    assert with_gpu_table(document) == document


def test_a_gpus_table_has_every_series_at_its_knee_and_names_the_card(tmp_path: Path) -> None:
    rows = [row | {"spread_share": 0.0} for row in why_rows("gpu", 40.0)]
    save_record(tmp_path, "why-gpu.json", "why-gpu", rows, GPU_MACHINE)
    save_record(tmp_path, "device-pipeline.json", "device-pipeline", pipeline_rows(), GPU_MACHINE)
    table = gpu_markdown(tmp_path, short=False)
    assert table.count(" in ") == 3
    assert "| matte | GPU, torch, fp32 |" in table
    assert "| 1 megapixels | 800/s | 200/s | 4 times | 0.1, 20 |" in table
    assert "H100" in table
    assert "no GPU" not in table
