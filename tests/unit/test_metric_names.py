"""Documents name metrics that exist."""

import re
from pathlib import Path

from catalogue import telemetry
from gateway.observability.metrics import all_metrics
from gateway.supervision import metrics as supervision
from processes.metrics import Kind
from web import metrics as face

_HISTOGRAM = ("", "_bucket", "_count", "_sum")


def test_every_metric_that_a_document_names_is_in_the_catalogue(root: Path) -> None:
    others = (supervision, face, telemetry)
    declared = [*all_metrics(), *(each for of in others for each in of.all_metrics())]
    known = {
        metric.name + suffix
        for metric in declared
        for suffix in (_HISTOGRAM if metric.kind == Kind.HISTOGRAM else ("",))
    }
    documents = [root / "README.md", *(root / "docs").rglob("*.md")]
    named = {
        (path.name, name)
        for path in documents
        for name in re.findall(r"\bpackshot_[a-z0-9_]+", path.read_text())
    }
    assert len(named) > len(all_metrics())
    assert sorted(each for each in named if each[1] not in known) == []
