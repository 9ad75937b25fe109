"""`make monitor`'s command: everything runs, Prometheus sees it, and Ctrl-C leaves nothing."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.stack import best_model, free_addresses
from monitoring.prometheus_server import PrometheusError, running_prometheus
from monitoring.queries import QueryError, targets
from processes.ready import free_ports
from serving.host import has_nvidia_gpu
from tests.integration.processes import start_server
from tests.support.prometheus import need


def test_the_command_runs_until_interrupted(tmp_path: Path) -> None:
    need("prometheus")
    [port] = free_ports(1)
    command = [sys.executable, "-m", "monitoring", "run", "--port", str(port)]
    log = tmp_path / "monitor.log"
    environ = {
        **free_addresses(),
        # One model is enough to be seen.
        "PACKSHOT_TRITON_MODELS": best_model(gpu=has_nvidia_gpu()),
    }
    with start_server("python -m monitoring run", command, log, environ) as server:
        server.wait_until(lambda: "Ctrl-C stops all" in server.log, timeout_s=90)
        [url] = re.findall(r"Prometheus (http://\S+)/alerts", server.log)
        assert url == f"http://127.0.0.1:{port}"

        def both_up() -> bool:
            health = targets(url)
            return len(health) == 2 and set(health.values()) == {"up"}

        server.wait_until(both_up, timeout_s=40)
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait(60) == 0
        assert not server.left_over()
    with pytest.raises(QueryError):
        targets(url)


def test_a_missing_prometheus_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(PrometheusError, match="package prometheus"),
        running_prometheus([], [], tmp_path),
    ):
        pass


def test_a_prometheus_that_cannot_start_says_why(tmp_path: Path) -> None:
    need("prometheus")
    (tmp_path / "data").write_text("no folder")
    with (
        pytest.raises(PrometheusError, match="did not start"),
        running_prometheus(["127.0.0.1:1"], ["127.0.0.1:2"], tmp_path),
    ):
        pass
