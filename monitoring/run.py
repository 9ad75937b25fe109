"""`python -m monitoring run`: Triton, the gateway and a real Prometheus, in the foreground."""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.demo import render_photos
from deploy.local.interrupt import noting_signals
from deploy.local.photos import photos_in
from deploy.local.stack import running
from gateway.config import GatewayConfig
from monitoring.prometheus_server import PrometheusError, running_prometheus
from processes.ready import ProcessError
from processes.settings import SettingError, load
from serving.config import ServingConfig

_FOLDER = Path("out/monitor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--port", type=int, default=9090, help="Prometheus's port (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C; returns the exit status: 0 told to stop, 1 failed."""
    try:
        gateway = load(GatewayConfig, os.environ, [], prog="gateway")
        serving = load(ServingConfig, os.environ, [], prog="serving")
        target = f"{gateway.host}:{gateway.port}"
        metrics = f"{gateway.host}:{gateway.metrics_port}"
        _FOLDER.mkdir(parents=True, exist_ok=True)
        with (
            noting_signals(),
            running(os.environ, target, _FOLDER) as stack,
            running_prometheus(
                [metrics],
                [serving.address(serving.metrics_port)],
                _FOLDER / "prometheus",
                port=arguments.port,
            ) as prometheus,
        ):
            stack.wait_until_ready()
            render_photos(target, photos_in(Path("samples")), _FOLDER / "pictures")
            print(f"gateway {target}, its metrics http://{metrics}/metrics", flush=True)
            print(f"Prometheus {prometheus.url}/alerts (logs in {_FOLDER}); Ctrl-C stops all")
            print(
                f"load: python -m benchmarks load --target {target}, or packshot render", flush=True
            )
            stack.wait_until_ended()
    except (ProcessError, SettingError, PrometheusError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 1
