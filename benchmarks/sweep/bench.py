"""Measuring one configuration: Triton and the gateway on a copy of the model, asked by both."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import perf_analyzer
from benchmarks.configuration import Configuration
from benchmarks.load.generator import Plan
from benchmarks.load.phase import carry_out
from benchmarks.load.summary import summarise
from benchmarks.sweep.points import DRIVERS, Driver, Point
from deploy.local.stack import free_addresses, running
from processes.ready import ProcessError
from serving.errors import AnalyzerError

log = logging.getLogger("benchmarks")


@dataclass
class Bench:
    """Measures configurations."""

    repository: Path  # the model repository, which is only read
    concurrency: Sequence[int]  # requests under way, one after another
    requests: int  # least number of requests in a window of perf_analyzer
    stability_percent: int  # how far its windows may differ
    triton_dir: Path  # where wheels are installed
    plan: Plan  # what the gateway is asked; target and concurrency are filled in
    warm_up_s: float  # left out of it
    environ: Mapping[str, str]  # the environment of both servers
    turns: int = 0  # configurations measured so far
    # What could not be measured, a sentence each
    failures: list[str] = field(default_factory=list)

    def measure(
        self, configuration: Configuration, drivers: Sequence[Driver] = DRIVERS
    ) -> list[Point]:
        """Start the stack so configured and measure it at every concurrency.

        Returns:
            The points; of a configuration that cannot be run, none.
        """
        self.turns += 1
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            configuration.write(self.repository, scratch / "models")
            own = {
                **self.environ,
                **free_addresses(),
                "PACKSHOT_MODEL_REPOSITORY": str(scratch / "models"),
                "PACKSHOT_TRITON_MODELS": configuration.model,
                "PACKSHOT_DEFAULT_MODEL": configuration.model,
            }
            target = f"127.0.0.1:{own['PACKSHOT_PORT']}"
            try:
                with running(own, target, scratch) as stack:
                    stack.wait_until_ready()
                    servers = [part.process.pid for part in stack.parts]
                    return [
                        point
                        for number in self.concurrency
                        for driver in drivers
                        for point in (
                            self._ask_triton(configuration, stack.triton, number)
                            if driver == "triton"
                            else self._ask_gateway(configuration, target, number, servers)
                        )
                    ]
            except ProcessError as exc:
                self._fail(f"{configuration}: {exc}")
                return []

    def _ask_triton(self, configuration: Configuration, address: str, number: int) -> list[Point]:
        load = perf_analyzer.Load(
            address=address,
            model=configuration.model,
            concurrency=str(number),
            requests=self.requests,
            stability_percent=self.stability_percent,
        )
        try:
            (found,) = perf_analyzer.measure(load, self.triton_dir, self.environ)
        except AnalyzerError as exc:
            self._fail(f"{configuration}, concurrency {number}: {exc}")
            return []
        return [self._point(configuration, "triton", number, found)]

    def _ask_gateway(
        self, configuration: Configuration, target: str, number: int, servers: Sequence[int]
    ) -> list[Point]:
        plan = replace(self.plan, target=target, concurrency=number)
        row = summarise({}, [carry_out(plan, servers)], self.warm_up_s)
        if not row["images_per_s"] or row["p95_ms"] is None:
            self._fail(f"{configuration}, gateway, {number}: no success; {row['statuses']}")
            return []
        return [self._point(configuration, "gateway", number, row)]

    def _point(
        self, configuration: Configuration, driver: Driver, number: int, row: Mapping[str, Any]
    ) -> Point:
        names = ("images_per_s", "p50_ms", "p95_ms", "p99_ms")
        figures = {name: float(row[name]) for name in names}
        return Point(configuration, driver, number, turn=self.turns, **figures)

    def _fail(self, what: str) -> None:
        log.warning("not measured: %s", what)
        self.failures.append(f"not measured: {what}")
