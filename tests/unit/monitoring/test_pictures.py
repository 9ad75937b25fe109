"""Pictures of dashboards, from a Prometheus in memory."""

import json
import math
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from monitoring.dashboards import DASHBOARDS
from monitoring.dashboards.panels import Dashboard, Unit
from monitoring.pictures.draw import draw
from monitoring.pictures.figures import in_words, legend_of
from monitoring.queries import QueryError, query


class _Answers(BaseHTTPRequestHandler):
    """Answers every question with two series, and one of them with an error."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = parse_qs(url.query)
        if asked["query"] == ["broken("]:
            self._send(400, {"status": "error", "error": "parse error"})
            return
        if asked["query"] == ["nothing"] or "nv_gpu" in asked["query"][0]:
            self._send(200, {"data": {"resultType": "vector", "result": []}})
            return
        both = [{"le": "1.0", "stage": "infer"}, {"le": "+Inf", "stage": "queue"}]
        if url.path.endswith("query"):
            result = [{"metric": labels, "value": [time.time(), "0.5"]} for labels in both]
            self._send(200, {"data": {"resultType": "vector", "result": result}})
            return
        start_s, end_s = float(asked["start"][0]), float(asked["end"][0])
        moments = np.linspace(start_s, end_s, 20)
        matrix = [
            {
                "metric": labels,
                "values": [[moment, "NaN" if moment == start_s else "0.25"] for moment in moments],
            }
            for labels in both
        ]
        self._send(200, {"data": {"resultType": "matrix", "result": matrix}})

    def log_message(self, *_args: object) -> None:
        pass

    def _send(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture
def prometheus() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_a_dashboard_is_drawn_whole(dashboard: Dashboard, prometheus: str, tmp_path: Path) -> None:
    draw(dashboard, prometheus, tmp_path / "it.png", minutes=5)
    with Image.open(tmp_path / "it.png") as image:
        pixels = np.asarray(image.convert("RGB"), int)
    assert 1500 < pixels.shape[1] < 1650
    rows = max(place.y + place.height for _, place in dashboard.places())
    assert pixels.shape[0] == pytest.approx((rows + 2) * 30, abs=2)
    # Colour beside the ink: something was drawn from the data.
    assert (np.ptp(pixels, axis=2) > 60).sum() > 1000
    assert (tmp_path / "it.png").stat().st_size < 400_000


def test_a_refused_expression_is_an_error_with_prometheus_s_words(prometheus: str) -> None:
    with pytest.raises(QueryError, match="parse error"):
        query(prometheus, "broken(")
    assert query(prometheus, "nothing") == []
    with pytest.raises(QueryError):
        query("http://127.0.0.1:1", "up")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9987, Unit.SHARE, "99.87 %"),
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (1.5, Unit.SECONDS, "1.5 s"),
        (864000, Unit.SECONDS, "10 d"),
        (3 * 2**20, Unit.BYTES, "3 MiB"),
        (2048, Unit.BYTES_PER_S, "2 KiB/s"),
        (1234567, Unit.COUNT, "1.23M"),
        (0.5, Unit.MONEY, "$0.5"),
        (1, Unit.YES_NO, "yes"),
        (12.34, Unit.PER_S, "12.3/s"),
        (math.inf, Unit.SECONDS, "∞"),
        (math.nan, Unit.SHARE, "no data"),
    ],
)
def test_figures_are_read_as_people_say_them(value: float, unit: Unit, text: str) -> None:
    assert in_words(value, unit) == text


def test_a_legend_s_labels_are_filled_in() -> None:
    assert legend_of("{{model}} {{ part }} photos", {"model": "matte"}) == "matte  photos"
