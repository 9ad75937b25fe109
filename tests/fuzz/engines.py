"""The engines, one process each: python -m tests.fuzz.engines NAME INPUTS SEED FOLDER."""

import importlib
import logging
import random
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packshot.v1 import packshot_pb2 as pb
from tests.fuzz import mutations, targets
from tests.support.files import FILES

CURRENT = "current"
MOST_SECONDS = 5
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Run:
    """What an engine is asked for."""

    inputs: int
    seed: int
    folder: Path

    def guarded(self, target: Callable[[bytes], bool], data: bytes) -> bool:
        """Try an input that is on disk meanwhile; the alarm ends the process."""
        (self.folder / CURRENT).write_bytes(data)
        signal.alarm(MOST_SECONDS)
        outcome = target(data)
        signal.alarm(0)
        return outcome


def structure(run: Run) -> None:
    """Change good photos by the structure of their formats."""
    chance = random.Random(run.seed)  # noqa: S311  to be repeated, not to be secret
    seeds = [make() for make in FILES.values()]
    good = 0
    for _ in range(run.inputs):
        data = mutations.mutate(chance.choice(seeds), chance)
        good += run.guarded(targets.decode, data)
    print(f"{run.inputs} files, {good} of them photos still")


def requests(run: Run) -> None:
    """Build requests of every shape with hypothesis and read their options."""
    from hypothesis import HealthCheck, given, seed, settings  # noqa: PLC0415

    from tests.fuzz.requests import requests as build  # noqa: PLC0415

    outcomes = []

    @seed(run.seed)
    @settings(
        max_examples=run.inputs,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(build((b"", b"photo")))
    def each(request: pb.RenderRequest) -> None:
        outcomes.append(run.guarded(lambda _: targets.read(request), request.SerializeToString()))

    each()
    print(f"{len(outcomes)} requests, {sum(outcomes)} of them in order")


def decode_by_coverage(run: Run) -> None:
    """Steer changes to photos by the Python code that they reach."""
    seeds = [make() for make in FILES.values()]
    _by_coverage(run, "decode", seeds, most_bytes=65_536)


def options_by_coverage(run: Run) -> None:
    """Steer changes to serialised requests by the Python code that they reach."""
    seeds = [
        pb.RenderRequest(photo=b"x", preset="amazon-main").SerializeToString(),
        pb.RenderRequest(
            background=pb.Background(gradient=pb.Gradient(colors=["#ff0000", "#00ff00"])),
            frame=pb.Frame(width_px=100, height_px=90, margin=pb.Margins(left=pb.Length(px=3))),
            output=pb.Output(format=pb.IMAGE_FORMAT_WEBP, quality=50),
            staging=pb.Staging(shadow=pb.SHADOW_KIND_DROP, light_angle_deg=10),
        ).SerializeToString(),
    ]
    _by_coverage(run, "options", seeds, most_bytes=4096)


def _by_coverage(run: Run, target: str, seeds: list[bytes], most_bytes: int) -> None:
    import atheris  # noqa: PLC0415

    corpus = run.folder / f"corpus-{target}"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    # What was imported without instruments is imported anew, with them.
    for name in [
        name for name in sys.modules if name.startswith(("gateway", "tests.fuzz.targets"))
    ]:
        del sys.modules[name]
    # Numba compiles what it is given and does not know the instruments.
    compiled = ("imaging.compose.blend", "imaging.matting.foreground", "imaging.matting.guided")
    with atheris.instrument_imports(include=["gateway"], exclude=list(compiled)):
        instrumented = importlib.import_module("tests.fuzz.targets")
    chance = random.Random(run.seed)  # noqa: S311

    def change(data: bytes, max_size: int, _seed: int) -> bytes:
        if target == "decode" and data and chance.random() < 0.5:
            return mutations.mutate(data, chance)[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    one: Callable[[bytes], bool] = getattr(instrumented, target)

    def each(data: bytes) -> None:
        (run.folder / CURRENT).write_bytes(data)
        one(data)

    arguments = [
        *(
            sys.argv[0],
            f"-runs={run.inputs}",
            f"-seed={run.seed % 2**31}",
            f"-max_len={most_bytes}",
        ),
        *(f"-timeout={MOST_SECONDS}", "-rss_limit_mb=2048", "-print_final_stats=1"),
        *(f"-artifact_prefix={run.folder}/{target}-", str(corpus)),
    ]
    atheris.Setup(arguments, each, custom_mutator=change)
    atheris.Fuzz()


@dataclass(frozen=True)
class Engine:
    """One way of making up inputs."""

    run: Callable[[Run], None]
    needs_atheris: bool = False


ENGINES = {
    "structure": Engine(structure),
    "requests": Engine(requests),
    "decode-by-coverage": Engine(decode_by_coverage, needs_atheris=True),
    "options-by-coverage": Engine(options_by_coverage, needs_atheris=True),
}


def main() -> None:
    """Run one engine in this process, under its limits."""
    name, inputs, seed, folder = sys.argv[1:]
    warnings.simplefilter("ignore")  # Pillow's on odd files
    logging.disable()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ENGINES[name].run(Run(int(inputs), int(seed), Path(folder)))


if __name__ == "__main__":
    main()
