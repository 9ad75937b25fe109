"""The values of the labels that the gateway itself gives its metrics, spans and lines of log."""

from enum import StrEnum
from typing import Final


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


# The priority of a request that is no render.
NO_PRIORITY: Final = "none"

# The calls that have one.
RENDERS: Final = (Method.RENDER, Method.STREAM_PHOTO)
