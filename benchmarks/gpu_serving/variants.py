"""Variants of a model's configuration, each a model of its own in one repository.

One Triton loads them one after the other, so that a variant that cannot be loaded costs its own row
and nothing else.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from export.triton_config import read_config

_KINDS = {
    "gpu": pb.ModelInstanceGroup.KIND_GPU,
    "cpu": pb.ModelInstanceGroup.KIND_CPU,
}


@dataclass(frozen=True)
class Variant:
    """One way to serve a network."""

    name: str  # the variant's, unique in its repository
    model: str = "matte-fp16"  # the model that it is made of
    instances: int = 1  # on the device
    batching: bool = True  # whether Triton gathers requests into batches
    max_batch_size: int = 16  # most photos in a pass
    queue_delay_us: int = 0  # how long Triton waits for a batch to fill
    # Options of the CUDA provider, by ONNX Runtime's names
    cuda: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the backend

    def columns(self) -> dict[str, Any]:
        """Return it as columns of a row."""
        told = {**self.cuda, **self.parameters}
        return {
            "variant": self.name,
            "model": self.model,
            "instances": self.instances,
            "dynamic_batching": self.batching,
            "max_batch_size": self.max_batch_size,
            "queue_delay_us": self.queue_delay_us,
            "options": ", ".join(f"{key}={value}" for key, value in told.items()),
        }

    def message(self, given: pb.ModelConfig, kind: str) -> pb.ModelConfig:
        """Change a model's configuration to this variant.

        Args:
            given: The configuration.
            kind: `gpu` or `cpu`.
        """
        changed = pb.ModelConfig()
        changed.CopyFrom(given)
        changed.name = self.name
        del changed.instance_group[:]
        changed.instance_group.add(count=self.instances, kind=_KINDS[kind])
        changed.max_batch_size = self.max_batch_size
        if self.batching:
            changed.dynamic_batching.max_queue_delay_microseconds = self.queue_delay_us
        else:
            # With larger batches the backend would complete the configuration with a scheduler.
            changed.ClearField("dynamic_batching")
            changed.max_batch_size = 1
        for key, value in self.parameters.items():
            changed.parameters[key].string_value = value
        if self.cuda:
            asked = changed.optimization.execution_accelerators.gpu_execution_accelerator.add(
                name="cuda"
            )
            asked.parameters.update(self.cuda)
        del changed.model_warmup[1:]
        if changed.max_batch_size > 1:
            largest = changed.model_warmup.add()
            largest.CopyFrom(changed.model_warmup[0])
            largest.name, largest.batch_size = "largest batch", changed.max_batch_size
        return changed

    def write(self, models: Path, folder: Path, kind: str) -> None:
        """Write the variant's model into a repository.

        Args:
            models: Where its model is.
            folder: The repository to write into.
            kind: `gpu` or `cpu`.
        """
        source = models / self.model
        shutil.copytree(source / "1", folder / self.name / "1", dirs_exist_ok=True)
        message = self.message(read_config(source / "config.pbtxt"), kind)
        (folder / self.name / "config.pbtxt").write_text(text_format.MessageToString(message))
