"""Triton and GPU: queue against compute, batches, and what the GPU does meanwhile."""

from typing import Final

from monitoring.dashboards.panels import (
    BAD,
    GOOD,
    Dashboard,
    G,
    Kind,
    Need,
    Panel,
    Query,
    Row,
    Threshold,
    Unit,
    bad_above,
    bad_below,
    lines,
    stat,
)


def _per_inference(counter: str) -> str:
    """Return the mean seconds of an inference of one of Triton's counters of microseconds."""
    return (
        f"sum by (model) (rate({counter}[$__rate_interval])) / 1e6"
        " / (sum by (model) (rate(nv_inference_request_success[$__rate_interval])) > 0)"
    )


def _gpu(expr: str, legend: str = "{{gpu_uuid}}") -> Query:
    return Query(expr, legend, Need.GPU)


# Gateways tell the same of each Triton: the inner maximum counts each once.
_BATCH_SUM: Final = (
    "sum by (model) (max by (triton, model)"
    f" (rate(packshot_triton_batch_size_sum{{{G}}}[$__rate_interval])))"
)
_BATCH_COUNT: Final = (
    "sum by (model) (max by (triton, model)"
    f" (rate(packshot_triton_batch_size_count{{{G}}}[$__rate_interval])))"
)

TRITON: Final = Dashboard(
    "packshot-triton",
    "Packshot: Triton and GPU",
    "Whether Triton answers, batches and keeps its GPU busy.",
    (
        Row(
            "Is it there?",
            (
                stat(
                    "Tritons reached",
                    "Share of the Tritons that answer the gateways.",
                    Unit.SHARE,
                    f"avg(max by (triton) (packshot_triton_reachable{{{G}}}))",
                    *bad_below(0.5, 1),
                ),
                stat(
                    "Open circuits",
                    "Models that do not answer, and whose callers are refused at once.",
                    Unit.COUNT,
                    f"sum(max by (model) (packshot_circuit_open{{{G}}}))",
                    Threshold(None, GOOD),
                    Threshold(1, BAD),
                ),
                stat(
                    "GPU expected",
                    "Whether PACKSHOT_EXPECT_GPU is set anywhere.",
                    Unit.YES_NO,
                    f"max(packshot_gpu_expected{{{G}}})",
                ),
                Panel(
                    "Models",
                    "What is loaded, at which precision and on which device. cpu where a GPU is "
                    "meant is bad.",
                    Kind.TABLE,
                    Unit.STATE,
                    (
                        Query(
                            "max by (model, version, precision, device, default)"
                            f" (packshot_model_info{{{G}}})"
                        ),
                    ),
                    width=12,
                    height=4,
                ),
            ),
        ),
        Row(
            "Does it wait or work?",
            (
                lines(
                    "Time of an inference",
                    "Mean seconds in the queue and in the pass. A queue longer than the pass means "
                    "that the model is full.",
                    Unit.SECONDS,
                    Query(_per_inference("nv_inference_queue_duration_us"), "{{model}} queue"),
                    Query(
                        _per_inference("nv_inference_compute_infer_duration_us"),
                        "{{model}} compute",
                    ),
                ),
                lines(
                    "Inferences and passes",
                    "Photos and passes of the network; far apart is good on a GPU: batches.",
                    Unit.PER_S,
                    Query(
                        "sum by (model) (rate(nv_inference_count[$__rate_interval]))",
                        "{{model}} photos",
                    ),
                    Query(
                        "sum by (model) (rate(nv_inference_exec_count[$__rate_interval]))",
                        "{{model}} passes",
                    ),
                ),
                lines(
                    "Waiting in Triton",
                    "Requests in Triton's queues, and those with Triton at a time as the gateways "
                    "see it.",
                    Unit.COUNT,
                    Query(
                        "sum by (model) (nv_inference_pending_request_count)", "{{model}} queued"
                    ),
                    Query(
                        "sum(rate(packshot_stage_duration_seconds_sum"
                        f'{{{G}, stage="infer"}}[$__rate_interval]))',
                        "with Triton",
                    ),
                ),
            ),
        ),
        Row(
            "Does it batch?",
            (
                lines(
                    "Photos in a pass",
                    "Mean. One under load on a GPU means that batching does not work; on a CPU it "
                    "is as it should be.",
                    Unit.COUNT,
                    Query(f"{_BATCH_SUM} / ({_BATCH_COUNT} > 0)", "{{model}}"),
                ),
                Panel(
                    "Batch sizes",
                    "Passes a second by the photos in them.",
                    Kind.HEATMAP,
                    Unit.COUNT,
                    (
                        Query(
                            "sum by (le) (max by (triton, model, le) (rate("
                            f"packshot_triton_batch_size_bucket{{{G}}}[$__rate_interval])))",
                            "{{le}}",
                        ),
                    ),
                ),
                lines(
                    "Second attempts",
                    "Inferences that were asked for again, by whether the budget allowed it. "
                    "Refused ones mean an outage.",
                    Unit.PER_S,
                    Query(
                        "sum by (allowed) (rate(packshot_inference_retries_total"
                        f"{{{G}}}[$__rate_interval]))",
                        "allowed: {{allowed}}",
                    ),
                ),
            ),
        ),
        Row(
            "Is the GPU busy?",
            (
                lines(
                    "Utilisation",
                    "Share of the time in which the GPU worked. Low under load: the gateways or "
                    "the batches are too small.",
                    Unit.SHARE,
                    _gpu("nv_gpu_utilization"),
                    most=1,
                ),
                lines(
                    "GPU memory",
                    "Used, of what there is.",
                    Unit.BYTES,
                    _gpu("nv_gpu_memory_used_bytes", "{{gpu_uuid}} used"),
                    _gpu("nv_gpu_memory_total_bytes", "{{gpu_uuid}} there is"),
                ),
                lines(
                    "Power",
                    "Drawn, and the limit; at the limit the GPU slows itself down.",
                    Unit.WATTS,
                    _gpu("nv_gpu_power_usage", "{{gpu_uuid}} drawn"),
                    _gpu("nv_gpu_power_limit", "{{gpu_uuid}} limit"),
                ),
                lines(
                    "Energy of an image",
                    "Joules of the GPU for each photo rendered.",
                    Unit.JOULES,
                    _gpu(
                        "sum(rate(nv_energy_consumption[$__rate_interval]))"
                        f" / (sum(rate(packshot_images_total{{{G}}}[$__rate_interval])) > 0)",
                        "GPU",
                    ),
                ),
                lines(
                    "Processor of Triton's machine",
                    "Share of all its cores that work, whatever for.",
                    Unit.SHARE,
                    Query("nv_cpu_utilization", "{{instance}}"),
                    most=1,
                ),
                stat(
                    "Failed inferences",
                    "A second, cancelled ones included.",
                    Unit.PER_S,
                    "sum(rate(nv_inference_request_failure[$__rate_interval]))",
                    *bad_above(0.1, 1),
                ),
            ),
        ),
    ),
)
