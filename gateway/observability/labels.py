"""The labels of the gateway's metrics: their values, and which of them a metric has.

Spans and lines of log use the same values.
"""

from enum import StrEnum
from typing import Final, Literal, NamedTuple

import grpc

from gateway.admission.limits import Limit
from gateway.admission.priority import Priority


class Method(StrEnum):
    """The calls that are counted."""

    RENDER = "Render"
    RENDER_STREAM = "RenderStream"  # a stream as a whole, from its opening to its end
    STREAM_PHOTO = "RenderStream.photo"  # each photo of a stream, once there is room for it
    LIST_MODELS = "ListModels"
    LIST_PRESETS = "ListPresets"
    GET_ACCOUNT = "GetAccount"


class Stage(StrEnum):
    """The stages of one render, in order."""

    QUEUE = "queue"  # waiting for a worker thread, before all other stages together
    DECODE = "decode"
    PREPARE = "prepare"
    INFER = "infer"  # from the request to Triton to its answer, Triton's own queue included
    REFINE = "refine"
    COMPOSE = "compose"
    ENCODE = "encode"
    VERIFY = "verify"


class Operation(StrEnum):
    """What is done in the accounts' database."""

    FIND = "find"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"
    SWEEP = "sweep"


class ChargeOutcome(StrEnum):
    """How a charge ended."""

    SPENT = "spent"
    RETURNED = "returned"  # held, and the render failed
    REFUNDED = "refunded"  # spent, and no reply was sent
    EXPIRED = "expired"  # held by a gateway that was killed
    REPEATED = "repeated"  # none taken: a render whose idempotency key had been paid for


# The calls that have a priority.
RENDERS: Final = (Method.RENDER, Method.STREAM_PHOTO)

Outcome = Literal["ok", "error"]
# Of the last there is none where the gateway is one process.
Part = Literal["gateway", "decode_workers", "supervisor"]


class ByCall(NamedTuple):
    """A call, its status and its priority; None: the call is no render."""

    method: Method
    code: grpc.StatusCode
    priority: Priority | None


class ByOutcome(NamedTuple):
    """A call, its priority as in `ByCall`, and whether it succeeded."""

    method: Method
    priority: Priority | None
    outcome: Outcome


class ByMethod(NamedTuple):
    """A call."""

    method: Method


class ByReason(NamedTuple):
    """The reason of an error, one of `gateway.errors.all_reasons`."""

    reason: str


class ByStage(NamedTuple):
    """A stage of a render."""

    stage: Stage


class ByPriority(NamedTuple):
    """A render's priority."""

    priority: Priority


class ByBound(NamedTuple):
    """The bound that a render would have exceeded, and the render's priority."""

    bound: Limit
    priority: Priority


class ByTriton(NamedTuple):
    """A Triton, by its address."""

    triton: str


class ByTritonAndModel(NamedTuple):
    """A model of a Triton."""

    triton: str
    model: str


class ByModel(NamedTuple):
    """A model."""

    model: str


class ModelLabels(NamedTuple):
    """What is told of a loaded model."""

    model: str
    version: str
    precision: str
    device: str
    default: Literal["yes", "no"]


class ByPermission(NamedTuple):
    """Whether the retry budget allowed a second attempt."""

    allowed: Literal["yes", "no"]


class ByChargeOutcome(NamedTuple):
    """What became of a credit."""

    outcome: ChargeOutcome


class ByOperation(NamedTuple):
    """An operation in the accounts' database."""

    operation: Operation


class ByLoad(NamedTuple):
    """Whether a certificate that was read is served now."""

    outcome: Literal["loaded", "refused"]


class ByPart(NamedTuple):
    """The gateway's processes, their decode workers, or what supervises them, each together."""

    part: Part


class BuildLabels(NamedTuple):
    """What is told of the program."""

    version: str
    revision: str
    python: str
