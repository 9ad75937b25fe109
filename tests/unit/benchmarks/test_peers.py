"""The comparison's arithmetic, its plan, and what becomes of the peers' processes."""

import argparse
import http.server
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from benchmarks.errors import BenchmarkError
from benchmarks.load.generator import Plan, Sample, Sent
from benchmarks.load.phase import Phase
from benchmarks.load.photos import Photo
from benchmarks.peers import command, environments
from benchmarks.peers.contenders import PEERS, Contender, fault_of
from benchmarks.peers.environments import ensure_environment, is_installed, pins_of
from benchmarks.peers.summary import Cell, Turn, notes_on, summarise
from benchmarks.rounds import full_spread
from processes.server import ServerProcess
from processes.tree import awake, is_alive, pause

# A child that its parent does not end, and whose id it writes down.
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""


def turn(images: int, latency_s: float = 0.1, cpu_s: float = 1.0, memory_bytes: int = 1) -> Turn:
    return Turn(images / 2.0, (latency_s,) * images, cpu_s / images, memory_bytes, {})


def flags(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser, {})
    return parser.parse_args(["--model", "matte", *arguments])


def picture(output: str, size: tuple[int, int] = (8, 6)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA" if output == "png" else "RGB", size).save(buffer, output)
    return buffer.getvalue()


bodies: list[bytes] = []


class FakeServer(http.server.BaseHTTPRequestHandler):
    """Echoes; answers 500 where the body holds the word broken, and notes what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bodies.append(body)
        self.send_response(500 if b"broken" in body else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def http_server(**options: Any) -> Iterator[Plan]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeServer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield Plan(url, (), 0.0, protocol="http", options=options)
        server.shutdown()
        thread.join()


def test_ratios_are_medians_of_rounds_not_ratios_of_medians() -> None:
    # The machine was half as fast in the second round, for both.
    turns = {
        ("packshot", "m"): [turn(40), turn(20), turn(40)],
        ("litserve", "m"): [turn(20, 0.2), turn(10, 0.2), turn(24, 0.2)],
    }
    own, peer = summarise(Cell("jpeg", 1, 4, tuple(turns)), turns, "m")
    assert peer["ratio_to_packshot"] == pytest.approx(0.5)
    assert peer["spread"] == pytest.approx(0.2)
    assert peer["images_per_s"] == pytest.approx(10)
    assert peer["p95_ratio_to_packshot"] == pytest.approx(2, rel=0.01)
    assert peer["p99_ms"] == pytest.approx(200, rel=0.01)
    assert (own["ratio_to_packshot"], own["spread"]) == (1.0, pytest.approx(0.5))
    assert own["images"] == 100


def test_a_peer_that_cannot_run_the_default_model_is_set_against_it_as_well() -> None:
    turns = {
        ("packshot", "matte"): [turn(100)],
        ("packshot", "u2netp"): [turn(20)],
        ("rembg", "u2netp"): [turn(5)],
    }
    default, same, rembg = summarise(Cell("png", 1, 4, tuple(turns)), turns, "matte")
    assert rembg["ratio_to_packshot"] == pytest.approx(0.25)
    assert rembg["ratio_to_packshot_default"] == pytest.approx(0.05)
    assert default["ratio_to_packshot_default"] is None
    assert same["ratio_to_packshot_default"] is None


def test_without_packshot_there_is_no_ratio() -> None:
    (row,) = summarise(Cell("png", 1, 4, ()), {("triton", "m"): [turn(10), turn(10)]}, "m")
    assert row["ratio_to_packshot"] is None
    assert row["p95_ratio_to_packshot"] is None
    assert row["spread"] == 0


def test_cpu_and_memory_are_by_image_and_at_their_highest() -> None:
    turns = {("packshot", "m"): [turn(10, cpu_s=5, memory_bytes=7), turn(10, cpu_s=5)]}
    (row,) = summarise(Cell("png", 1, 4, tuple(turns)), turns, "m")
    assert row["cpu_s_per_image"] == pytest.approx(0.5)
    assert row["memory_bytes"] == 7


def test_what_a_stage_took_is_the_median_of_the_rounds_means() -> None:
    turns = {
        ("packshot", "m"): [
            replace(turn(10), stages_s={"decode": each, "total": 1.0}) for each in (0.1, 0.2, 0.9)
        ],
        ("rembg", "m"): [turn(10)] * 3,
    }
    own, peer = summarise(Cell("png", 1, 4, tuple(turns)), turns, "m")
    assert own["stage_decode_ms"] == pytest.approx(200)
    assert own["stage_total_ms"] == pytest.approx(1000)
    assert not any(key.startswith("stage_") for key in peer)


def test_uneasy_rounds_are_told() -> None:
    assert full_spread([9, 10, 12]) == pytest.approx(0.3)
    turns = {("packshot", "m"): [turn(20), turn(30)]}
    rows = summarise(Cell("png", 1, 4, tuple(turns)), turns, "m")
    assert notes_on(rows) == ["packshot, m, 1 MP, png, concurrency 4: rounds differ by 40%"]
    assert notes_on([{**rows[0], "spread": 0.05}]) == []


def test_the_plan_compares_like_with_like() -> None:
    cells = command.plan(flags(), [*PEERS, "triton"], u2netp=True)
    png = [cell for cell in cells if cell.output == "png"]
    assert [cell.concurrency for cell in png] == [4, 8]
    assert {cell.photo_megapixels for cell in png} == {1}
    assert ("rembg", "u2netp") in png[0].contenders
    assert ("packshot", "u2netp") in png[0].contenders
    assert ("packshot", "matte") in png[0].contenders
    jpeg = [cell for cell in cells if cell.output == "jpeg"]
    assert [cell.photo_megapixels for cell in jpeg] == [1, 4]
    for cell in jpeg:
        assert "rembg" not in dict(cell.contenders)
        for model in dict(cell.contenders).values():
            asked = {peer for peer, its in cell.contenders if its == model}
            assert asked == {"packshot", "triton", "litserve", "bentoml"}


def test_what_is_not_asked_for_is_not_planned() -> None:
    (cell,) = command.plan(flags("--png-concurrency", "4"), ["triton"], u2netp=False)
    assert cell.contenders == (("packshot", "matte"), ("triton", "matte"))


def test_a_turn_counts_what_is_answered_after_the_warm_up() -> None:
    # Four answers are wanted: the turn goes on beyond its two seconds until the third and fourth.
    done_s = (0.5, 1.5, 2.5, 4.0, 4.5)
    samples = [Sample(at - 0.5, at - 0.5, at, "OK", {"decode": at}) for at in done_s]
    plan = Plan("", (), 2.0, least_answers=4)
    found = Turn.of(Phase(plan, Sent(samples, 0.0), cpu_s=10.0, memory_bytes=7), warm_up_s=1.0)
    assert found.images_per_s == pytest.approx(3 / 3)
    assert found.latencies_s == [0.5] * 3
    assert found.cpu_s_per_image == pytest.approx(2)
    assert found.stages_s == {"decode": pytest.approx(8 / 3)}


def contender(plan: Plan, photo: Path, body: bytes) -> Contender:
    photo.write_bytes(body)
    photos = (Photo(str(photo)),)
    return Contender(replace(plan, photos=photos), (), lambda: None)


def test_a_closed_loop_asks_an_http_server_until_it_has_the_answers(tmp_path: Path) -> None:
    with http_server() as plan:
        asked = contender(plan, tmp_path / "photo", b"photo")
        found = asked.take_turn(concurrency=2, duration_s=0.1, least_answers=20)
    assert len(found.sent.samples) >= 20
    assert {sample.status for sample in found.sent.samples} == {"OK"}


def test_a_request_that_fails_ends_the_turn_with_its_reason(tmp_path: Path) -> None:
    with (
        http_server() as plan,
        pytest.raises(BenchmarkError, match="HTTP 500"),
    ):
        contender(plan, tmp_path / "photo", b"broken").take_turn(duration_s=0.1)


def test_a_form_holds_the_file_and_the_fields() -> None:
    bodies.clear()
    with http_server(file_field="file", fields={"model": "u2netp"}) as plan:
        fault_of(plan, picture("jpeg"), "png")
    assert b'name="model"\r\n\r\nu2netp\r\n' in bodies[0]
    assert b'name="file"; filename="photo.jpg"' in bodies[0]
    assert picture("jpeg") in bodies[0]


def test_an_answer_that_is_no_picture_of_the_photo_s_size_is_a_fault() -> None:
    with http_server() as plan:  # which echoes
        assert fault_of(plan, picture("jpeg"), "jpeg") == ""
        assert "not ((8, 6), 'PNG', 'RGBA')" in fault_of(plan, picture("jpeg"), "png")
    with http_server(file_field="file") as plan:
        assert "no picture" in fault_of(plan, picture("jpeg"), "jpeg")


def test_of_a_server_that_stands_still_nothing_is_left(tmp_path: Path) -> None:
    note = tmp_path / "child"
    program = [sys.executable, "-c", PARENT, str(note)]
    with ServerProcess("parent", program, tmp_path / "log", lenient=True) as server:
        server.wait_until(lambda: note.exists() and note.read_text() != "")
        child = psutil.Process(int(note.read_text()))
        pause([server.pid])
        assert child.status() == psutil.STATUS_STOPPED
        with awake([server.pid]):
            assert child.status() != psutil.STATUS_STOPPED
        assert child.status() == psutil.STATUS_STOPPED
    assert not server.is_running()
    assert not is_alive(child)


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_is_pinned(name: str) -> None:
    pins = pins_of(name).split(", ")
    assert all("==" in pin for pin in pins)
    assert any(pin.split("==")[0].split("[")[0] == name for pin in pins)


def test_an_environment_is_made_once_and_anew_when_its_pins_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "requirements-nothing.txt"
    pins.write_text("# nothing\n")
    monkeypatch.setattr(environments, "_REQUIREMENTS", tmp_path)
    folder = tmp_path / "environments"
    assert not is_installed("nothing", folder)
    programs = ensure_environment("nothing", folder)
    assert (programs / "python").exists()
    assert is_installed("nothing", folder)
    made = (programs / "python").lstat().st_mtime_ns
    ensure_environment("nothing", folder)
    assert (programs / "python").lstat().st_mtime_ns == made
    pins.write_text("no-such-package-of-packshot @ file:///nowhere\n")
    assert not is_installed("nothing", folder)
    with pytest.raises(BenchmarkError, match="nothing cannot be installed"):
        ensure_environment("nothing", folder)
    assert not is_installed("nothing", folder)
