"""The model configuration that Triton reads, as data, printed from Triton's own message.

The message comes with Triton's client and is its schema: a field that Triton does not know cannot
be printed.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from export.tensor_names import MATTE, PHOTO

CARD_PARAMETER = "model_card"

# The longest time in the queue. A request may shorten it to what its caller leaves, but only where
# there is one: to Triton 0 is no time that a request's own could be shorter than.
_QUEUE_TIMEOUT_US = 60_000_000


class Kind(StrEnum):
    """Where Triton puts a model's instances."""

    AUTO = "auto"  # on the GPU where there is one, else on the CPU
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class MatteModelConfig:
    """What Triton must know of a matting model beyond what its ONNX file says."""

    name: str
    side: int  # height and width of its input, pixels
    # Bounds the memory of activations; warmed up, so that no request pays for the first such batch.
    max_batch_size: int = 16
    # Zero: whatever waits when an instance falls free goes as one batch. Waiting for more to come
    # is pure loss for a lone caller, and on a CPU a larger batch gains next to nothing.
    max_queue_delay_us: int = 0
    # Requests of one priority that may wait; what comes then is refused at once.
    max_queue_size: int = 512
    kind: Kind = Kind.AUTO
    instances: int = 1  # for each device; an instance's threads already fill a CPU
    # The keys of Triton's native ONNX Runtime backend. 0 threads: as many as there are cores.
    parameters: dict[str, str] = field(
        default_factory=lambda: {"intra_op_thread_count": "0", "inter_op_thread_count": "1"}
    )
    # Runs CPU instances, by Triton's name for it ("openvino"); None: ONNX Runtime's own kernels.
    cpu_accelerator: str | None = None
    # What the gateway tells of where the model comes from, JSON; empty: nothing.
    card: str = ""
    # Of graph optimisation, in Triton's numbers; None leaves the backend's default, which is all.
    graph_level: int | None = None

    def message(self) -> pb.ModelConfig:
        """Give Triton's message."""
        shape = (self.side, self.side)
        message = pb.ModelConfig(
            name=self.name,
            backend="onnxruntime",
            max_batch_size=self.max_batch_size,
            input=[pb.ModelInput(name=PHOTO, data_type=pb.TYPE_UINT8, dims=[*shape, 3])],
            output=[pb.ModelOutput(name=MATTE, data_type=pb.TYPE_UINT8, dims=[*shape, 1])],
            instance_group=[
                pb.ModelInstanceGroup(
                    kind=pb.ModelInstanceGroup.Kind.Value(f"KIND_{self.kind.name}"),
                    count=self.instances,
                )
            ],
            dynamic_batching=pb.ModelDynamicBatching(
                max_queue_delay_microseconds=self.max_queue_delay_us,
                # Interactive work is 1 and goes first, bulk is 2; who says nothing waits in person.
                priority_levels=2,
                default_priority_level=1,
                default_queue_policy=pb.ModelQueuePolicy(
                    # The gateway sends what is left of its caller's time: past it, nothing is run.
                    timeout_action=pb.ModelQueuePolicy.REJECT,
                    default_timeout_microseconds=_QUEUE_TIMEOUT_US,
                    allow_timeout_override=True,
                    max_queue_size=self.max_queue_size,
                ),
            ),
            model_warmup=[self._warmup(size) for size in sorted({1, self.max_batch_size})],
        )
        if self.graph_level is not None:
            message.optimization.graph.level = self.graph_level
        if self.cpu_accelerator is not None:
            accelerators = message.optimization.execution_accelerators
            accelerators.cpu_execution_accelerator.add(name=self.cpu_accelerator)
        parameters = self.parameters | ({CARD_PARAMETER: self.card} if self.card else {})
        for key, value in sorted(parameters.items()):
            message.parameters[key].string_value = value
        return message

    def _warmup(self, batch_size: int) -> pb.ModelWarmup:
        warmup = pb.ModelWarmup(name=f"batch of {batch_size}", batch_size=batch_size)
        photo = warmup.inputs[PHOTO]
        photo.data_type = pb.TYPE_UINT8
        photo.dims.extend((self.side, self.side, 3))
        photo.random_data = True
        return warmup

    def write(self, path: Path) -> None:
        """Print to a ``config.pbtxt``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_format.MessageToString(self.message()))


def read_config(path: Path) -> pb.ModelConfig:
    """Parse a ``config.pbtxt``, refusing what Triton's schema does not know."""
    return text_format.Parse(path.read_text(), pb.ModelConfig())
