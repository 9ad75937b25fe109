"""The settings of a config.pbtxt that are varied, read from Triton's message and put back."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from benchmarks.errors import BenchmarkError
from export.precision.names import precision_of
from export.triton_config import read_config

_THREADS = "intra_op_thread_count"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to serve a network."""

    model: str  # the model, by which its precision is chosen as well
    name: str = ""  # under which it is served; empty: the model's own
    instances: int = 1  # instances of it, for each device
    threads: int = 0  # of one pass on the CPU; 0: an instance's share of the cores
    max_batch_size: int = 16  # most photos in one pass
    queue_delay_us: int = 0  # how long Triton waits for a batch to fill
    batching: bool = True  # whether Triton gathers requests into batches
    # Options of the CUDA provider, by ONNX Runtime's names
    cuda: Mapping[str, str] = field(default_factory=dict, hash=False)
    # Of the backend
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, message: pb.ModelConfig) -> Self:
        """Read a model's configuration."""
        threads = message.parameters[_THREADS].string_value if _THREADS in message.parameters else 0
        return cls(
            model=message.name,
            instances=sum(group.count or 1 for group in message.instance_group) or 1,
            threads=int(threads or 0),
            max_batch_size=message.max_batch_size,
            queue_delay_us=message.dynamic_batching.max_queue_delay_microseconds,
        )

    def put_into(self, message: pb.ModelConfig, kind: str | None = None) -> pb.ModelConfig:
        """Return the message changed to this configuration, all else as it is.

        Warm-ups are part of the batch size: the first stays, and one of the largest follows it.

        Args:
            message: The model's configuration.
            kind: Where its instances are, `gpu` or `cpu`; None: where they are now.

        Raises:
            BenchmarkError: The message has several instance groups, so a count has no one place.
        """
        if len(message.instance_group) > 1:
            raise BenchmarkError(f"{message.name} has several instance groups: it cannot be varied")
        changed = pb.ModelConfig()
        changed.CopyFrom(message)
        changed.name = self.name or self.model
        if not changed.instance_group:
            changed.instance_group.add()
        group = changed.instance_group[0]
        group.count = self.instances
        if kind:
            group.kind = pb.ModelInstanceGroup.Kind.Value(f"KIND_{kind.upper()}")
        for key, value in {_THREADS: str(self.threads), **self.parameters}.items():
            changed.parameters[key].string_value = value
        if self.batching:
            changed.dynamic_batching.max_queue_delay_microseconds = self.queue_delay_us
        else:
            changed.ClearField("dynamic_batching")
        # With larger batches the backend would complete the configuration with a scheduler.
        changed.max_batch_size = self.max_batch_size if self.batching else 1
        if self.cuda:
            accelerators = changed.optimization.execution_accelerators
            asked = accelerators.gpu_execution_accelerator.add(name="cuda")
            asked.parameters.update(self.cuda)
        del changed.model_warmup[1:]
        if changed.model_warmup and changed.max_batch_size > 1:
            largest = changed.model_warmup.add()
            largest.CopyFrom(changed.model_warmup[0])
            largest.batch_size = changed.max_batch_size
            largest.name = f"batch of {changed.max_batch_size}"
        return changed

    def write(self, repository: Path, folder: Path, kind: str | None = None) -> None:
        """Copy the model into a repository of its own, configured so.

        Args:
            repository: Where the model is.
            folder: The repository to write into.
            kind: Where its instances are, `gpu` or `cpu`; None: where they are now.
        """
        path, copy = config_path(repository, self.model), folder / (self.name or self.model)
        shutil.copytree(path.parent / "1", copy / "1", dirs_exist_ok=True)
        message = self.put_into(read_config(path), kind)
        (copy / "config.pbtxt").write_text(text_format.MessageToString(message))

    def columns(self) -> dict[str, Any]:
        """Return it as columns of a row."""
        options = {**self.cuda, **self.parameters}
        return {
            "variant": self.name or self.model,
            "model": self.model,
            "precision": str(precision_of(self.model)),
            "instances": self.instances,
            "threads": self.threads,
            "dynamic_batching": self.batching,
            "max_batch_size": self.max_batch_size,
            "queue_delay_us": self.queue_delay_us,
            "options": ", ".join(f"{key}={value}" for key, value in options.items()),
        }

    def __str__(self) -> str:
        return (
            f"{self.model}, {self.instances} x {self.threads or 'share of'} threads, "
            f"batch {self.max_batch_size}, delay {self.queue_delay_us} us"
        )


def config_path(repository: Path, model: str) -> Path:
    """Return where a model's configuration lies.

    Raises:
        BenchmarkError: There is no such model.
    """
    path = repository / model / "config.pbtxt"
    if not path.is_file():
        raise BenchmarkError(f"there is no model {model} in {repository}: {path} is missing")
    return path
