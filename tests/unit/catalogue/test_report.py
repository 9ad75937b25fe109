"""The page on a job, and the contact sheet of a sample."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from catalogue.cli import main
from catalogue.places import Place
from catalogue.report import Prices, write_report
from catalogue.results import Results
from catalogue.rows import Item, as_table, failed, row
from catalogue.sample import write_contact_sheet
from tests.support.pictures import encode, product_photo


@pytest.fixture
def output(tmp_path: Path) -> Place:
    """Three photos: one sure, one doubtful, one without a product."""
    place = Place(str(tmp_path / "out"))
    photo = tmp_path / "in.jpg"
    photo.write_bytes(encode(product_photo(120, 90), "JPEG"))
    check = {"rule": "background", "required": True, "passed": False, "measured": 3.0, "unit": "%"}
    columns = [
        {"status": "ok", "confidence": 0.95, "preset": "amazon-main", "complies": True},
        {"status": "ok", "confidence": 0.31, "preset": "amazon-main", "complies": False},
        failed("NO_FOREGROUND", "there is no <product>", may_pass=False),
    ]
    columns[0] |= {"attempts": 3, "sent_again_for": ["UNAVAILABLE", "SILENT"]}
    columns[1]["checks"] = [{**check, "explanation": "3 % is not white"}]
    rows = []
    for number, each in enumerate(columns):
        item = Item(f"photo {number}", str(photo), f"{number}.jpg", "", "work")
        rows.append({**row(item, "job", each), "stages_s": {"total": 0.5, "queue": 0.1}})
        place.write(f"{number}.jpg", encode(product_photo(80, 60), "JPEG"))
    Results(place).write("part-1.parquet", as_table(rows))
    return place


def test_a_page_tells_counts_failures_verdicts_and_shows_doubts(
    output: Place, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    assert write_report(output, page, pictures=1, prices=Prices(1.0, 0.5)) == 3
    text = page.read_text()
    told = ("NO_FOREGROUND", "there is no &lt;product&gt;", "3 % is not white", "amazon-main")
    for part in (*told, "SILENT"):
        assert part in text
    assert text.count("<figure>") == 1
    assert text.count("data:image/jpeg;base64,") == 2
    assert "photo 1: 31%" in text
    assert "http" not in text.replace("https://", "http")


def test_a_page_may_be_on_some_rows_alone(output: Place, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert write_report(output, page, where="status = 'failed'") == 1
    runner = CliRunner()
    arguments = ["report", "--output", output.uri, "--to", str(page), "--where"]
    assert runner.invoke(main, [*arguments, "nonsense ("]).exit_code == 2
    found = runner.invoke(main, [*arguments, "id = 'gone'"])
    assert found.exit_code == 2
    assert "has no results where" in found.output


def test_a_contact_sheet_has_every_photo(output: Place) -> None:
    path = write_contact_sheet(output, 3)
    with Image.open(io.BytesIO(Path(path).read_bytes())) as sheet:
        assert sheet.size == (3 * 250 + 10, 2 * 250 + 40 + 10)


def test_wrong_usage_is_told_before_anything_is_rendered(tmp_path: Path) -> None:
    runner = CliRunner()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"")
    usual = ["run", "--input", str(tmp_path / "in"), "--output"]
    for arguments, told in (
        ([*usual, str(tmp_path / "file")], "cannot be written"),
        (["run", "--input", str(tmp_path / "gone"), "--output", str(tmp_path / "o")], "gone"),
        ([*usual, str(tmp_path / "o"), "--where", "nonsense ("], "cannot be followed"),
        ([*usual, str(tmp_path / "o"), "--square", "--aspect", "2"], "square contradicts"),
    ):
        found = runner.invoke(main, arguments)
        assert (found.exit_code, told in found.output) == (2, True), found.output
