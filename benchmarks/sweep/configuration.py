"""The settings of a config.pbtxt that a sweep varies, read from Triton's message and put back."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from benchmarks.errors import SweepError
from export.triton_config import CARD_PARAMETER, read_config

_THREADS = "intra_op_thread_count"


@dataclass(frozen=True, slots=True)
class Configuration:
    """One point of the sweep."""

    model: str  # the model, by which its precision is chosen as well
    instances: int  # instances of it, for each device
    threads: int  # of one pass on the CPU; 0: an instance's share of the cores
    max_batch_size: int  # most photos in one pass
    queue_delay_us: int  # how long Triton waits for a batch to fill

    @classmethod
    def of(cls, message: pb.ModelConfig) -> "Configuration":
        """Read a model's configuration."""
        return cls(
            model=message.name,
            instances=sum(group.count or 1 for group in message.instance_group) or 1,
            threads=int(message.parameters[_THREADS].string_value or 0)
            if _THREADS in message.parameters
            else 0,
            max_batch_size=message.max_batch_size,
            queue_delay_us=message.dynamic_batching.max_queue_delay_microseconds,
        )

    def put_into(self, message: pb.ModelConfig) -> pb.ModelConfig:
        """Return the message changed to this configuration, all else as it is.

        Warm-ups are part of the batch size: the largest becomes the new largest, and those beyond
        it go, for Triton refuses them.

        Raises:
            SweepError: The message has several instance groups, so that a count has no one place.
        """
        if len(message.instance_group) > 1:
            raise SweepError(f"{message.name} has several instance groups: it cannot be swept")
        changed = pb.ModelConfig()
        changed.CopyFrom(message)
        if not changed.instance_group:
            changed.instance_group.add()
        changed.instance_group[0].count = self.instances
        changed.parameters[_THREADS].string_value = str(self.threads)
        changed.dynamic_batching.max_queue_delay_microseconds = self.queue_delay_us
        changed.max_batch_size = self.max_batch_size
        _fit_warmups(changed, message.max_batch_size)
        return changed

    def columns(self) -> dict[str, Any]:
        """Return it as columns of a row."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.model}, {self.instances} x {self.threads or 'share of'} threads, "
            f"batch {self.max_batch_size}, delay {self.queue_delay_us} us"
        )


def config_path(repository: Path, model: str) -> Path:
    """Return where a model's configuration lies.

    Raises:
        SweepError: There is no such model.
    """
    path = repository / model / "config.pbtxt"
    if not path.is_file():
        raise SweepError(f"there is no model {model} in {repository}: {path} is missing")
    return path


def precision_of(message: pb.ModelConfig) -> str:
    """Return the precision that the model's card names; empty without one."""
    if CARD_PARAMETER not in message.parameters:
        return ""
    card = json.loads(message.parameters[CARD_PARAMETER].string_value)
    return str(card.get("precision", ""))


def copy_configured(repository: Path, configuration: Configuration, folder: Path) -> None:
    """Copy one model into a repository of its own, configured so."""
    path = config_path(repository, configuration.model)
    shutil.copytree(path.parent, folder / configuration.model)
    message = configuration.put_into(read_config(path))
    copy = folder / configuration.model / "config.pbtxt"
    copy.write_text(text_format.MessageToString(message))


def _fit_warmups(message: pb.ModelConfig, largest_before: int) -> None:
    new = message.max_batch_size
    kept: list[Any] = []
    for warmup in message.model_warmup:
        if warmup.batch_size == largest_before and largest_before > 1:
            warmup.name = warmup.name.replace(str(largest_before), str(new))
            warmup.batch_size = new
        if warmup.batch_size <= new and warmup.batch_size not in {one.batch_size for one in kept}:
            kept.append(warmup)
    copies = [pb.ModelWarmup.FromString(warmup.SerializeToString()) for warmup in kept]
    del message.model_warmup[:]
    message.model_warmup.extend(copies)
