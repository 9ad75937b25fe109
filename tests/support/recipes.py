"""Dockerfiles, read as far as the tests ask: their instructions, stage by stage."""

import dataclasses
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import GatewayConfig
from serving.config import ServingConfig
from web.config import WebConfig

FOLDER = Path("deploy/images")
IMAGES = ("gateway", "serving-cpu", "serving-gpu")
USER = "65532:65532"
# By the module that runs, its settings.
CONFIGS: dict[str, type[Any]] = {
    "gateway": GatewayConfig,
    "web": WebConfig,
    "serving": ServingConfig,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A Dockerfile: (instruction, arguments) of each stage; arguments on one line."""

    stages: list[list[tuple[str, str]]]

    @property
    def last(self) -> list[tuple[str, str]]:
        return self.stages[-1]

    def of(self, instruction: str, *, last: bool = True) -> list[str]:
        steps = self.last if last else [step for stage in self.stages for step in stage]
        return [arguments for name, arguments in steps if name == instruction]

    def environment(self) -> dict[str, str]:
        pairs = (pair for arguments in self.of("ENV") for pair in shlex.split(arguments))
        return dict(pair.split("=", 1) for pair in pairs)

    def command(self) -> list[str]:
        (entry,), (arguments,) = self.of("ENTRYPOINT"), self.of("CMD")
        return [*json.loads(entry), *json.loads(arguments)]

    def health_check(self) -> list[str]:
        (check,) = self.of("HEALTHCHECK")
        return list(json.loads(check.partition(" CMD ")[2]))


def recipe(image: str) -> Recipe:
    text = (FOLDER / f"{image}.Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[list[tuple[str, str]]] = [[]]
    for step in filter(None, re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()):
        name, _, arguments = step.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, arguments.strip()))
    return Recipe(stages)


def settings_of(*modules: str) -> set[str]:
    """Return the environment variables that some modules read."""
    return {
        str(field.metadata["env"])
        for module in modules
        for field in dataclasses.fields(CONFIGS[module])
    }
