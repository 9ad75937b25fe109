"""The result table's rows: what became of each photo."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pyarrow as pa

from packshot import Packshot

Outcome = Literal["ok", "failed"]
OK: Final[Outcome] = "ok"
FAILED: Final[Outcome] = "failed"
STAGES: Final = (
    *("decode", "prepare", "infer", "refine", "compose", "encode", "verify", "queue", "total"),
)

_CHECK = pa.struct(
    [
        ("rule", pa.string()),
        ("required", pa.bool_()),
        ("passed", pa.bool_()),
        ("measured", pa.float64()),
        ("unit", pa.string()),
        ("explanation", pa.string()),
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("input", pa.string()),  # absolute path or URI of the photo
        ("input_digest", pa.string()),  # SHA-256 of its bytes
        ("input_bytes", pa.int64()),
        ("output", pa.string()),  # name below the output's folder; null if there is none
        ("output_digest", pa.string()),  # SHA-256 of its bytes
        ("output_bytes", pa.int64()),
        ("status", pa.string()),  # ok or failed
        ("reason", pa.string()),  # such as NO_FOREGROUND; null where all is well
        ("message", pa.string()),
        ("may_pass", pa.bool_()),  # whether the next run tries again
        ("preset", pa.string()),
        ("complies", pa.bool_()),  # the preset's verdict; null without a preset
        ("checks", pa.list_(_CHECK)),
        ("notes", pa.list_(pa.string())),
        ("confidence", pa.float64()),  # 0 to 1
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("cut", pa.string()),  # keep, the photo's own, or refine, the model's
        ("format", pa.string()),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("magnification", pa.float64()),
        # Seconds: inside the service by stage, and outside it.
        ("stages_s", pa.struct([(stage, pa.float64()) for stage in STAGES])),
        ("read_s", pa.float64()),
        ("service_s", pa.float64()),  # from handing the photo over to its answer, waiting included
        ("write_s", pa.float64()),
        ("attempts", pa.int32()),  # how often it was sent to a gateway
        ("sent_again_for", pa.list_(pa.string())),  # reasons, one for each attempt but the first
        ("target", pa.string()),  # the gateway that answered
        ("job", pa.string()),
        ("work", pa.string()),  # what names the render: job, id, input and options
        ("finished_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Item:
    """One photo to render.

    Attributes:
        id: Its name in the catalogue.
        input: Its absolute path or URI.
        output: The packshot's name below the output's folder.
        own: Options of its own, JSON as `catalogue.options.parse_own` reads it; empty: none.
        work: What names the render.
    """

    id: str
    input: str
    output: str
    own: str
    work: str


def succeeded(packshot: Packshot) -> dict[str, Any]:
    """Return what a packshot says of itself, as columns of a row."""
    verdict = packshot.verdict
    return {
        "status": OK,
        "may_pass": False,
        "preset": verdict.preset if verdict else None,
        "complies": verdict.complies if verdict else None,
        "checks": [
            {
                "rule": check.rule,
                "required": check.required,
                "passed": check.passed,
                "measured": check.measured,
                "unit": check.unit,
                "explanation": check.explanation,
            }
            for check in (verdict.checks if verdict else ())
        ],
        "notes": list(packshot.notes),
        "confidence": packshot.confidence,
        "model": packshot.model,
        "model_version": packshot.model_version,
        "cut": packshot.cut,
        "format": packshot.format,
        "width_px": packshot.width_px,
        "height_px": packshot.height_px,
        "magnification": packshot.magnification,
        "stages_s": {stage: packshot.stages_s.get(stage) for stage in STAGES},
    }


def failed(reason: str, message: str, *, may_pass: bool) -> dict[str, Any]:
    """Return what is known of a photo without a packshot, as columns of a row."""
    return {
        "status": FAILED,
        "reason": reason,
        "message": message,
        "may_pass": may_pass,
        "output": None,
    }


def row(item: Item, job: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return a photo's row."""
    known = {
        "id": item.id,
        "input": item.input,
        "output": item.output,
        "attempts": 0,
        "sent_again_for": [],
        "job": job,
        "work": item.work,
        "finished_at": datetime.now(UTC),
    }
    return {**known, **columns}


def as_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table of the schema."""
    return pa.Table.from_pylist([dict(each) for each in rows], schema=SCHEMA)
