"""Overview: is it up, is it fast, where does the time go, what does an image cost."""

from typing import Final

from monitoring.dashboards.panels import (
    BAD,
    GOOD,
    WARNING,
    Dashboard,
    G,
    Query,
    Row,
    Threshold,
    Unit,
    bad_above,
    bad_below,
    lines,
    stack,
    stat,
)

RENDERS: Final = 'method=~"Render|RenderStream[.]photo"'
_FAILED: Final = 'code=~"INTERNAL|UNAVAILABLE|UNKNOWN|DATA_LOSS"'
_JUDGED: Final = 'code!~"INVALID_ARGUMENT|RESOURCE_EXHAUSTED|CANCELLED"'
_INTERACTIVE: Final = f'{G}, {RENDERS}, priority="interactive", outcome="ok"'
_IMAGES_PER_S: Final = f"sum(rate(packshot_images_total{{{G}}}[$__rate_interval]))"
_PRICE_PER_H: Final = (
    "($gpu_hour_price * (count(nv_gpu_utilization) or vector(0)) + $core_hour_price * $cores)"
)


def _failed_share(time_range: str) -> str:
    """Return the share of renders that failed for a reason of ours."""
    failed, judged = (
        f"sum(increase(packshot_requests_total{{{G}, {RENDERS}, {code}}}[{time_range}]))"
        for code in (_FAILED, _JUDGED)
    )
    return f"{failed} / {judged}"


def _quantile(share: float) -> str:
    rate = f"rate(packshot_request_duration_seconds_bucket{{{_INTERACTIVE}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (le) ({rate}))"


def _stage(what: str) -> str:
    return f"rate(packshot_stage_duration_seconds_{what}{{{G}}}[$__rate_interval])"


OVERVIEW: Final = Dashboard(
    "packshot-overview",
    "Packshot: overview",
    "Is it up, is it fast, where does the time go, what does an image cost.",
    (
        Row(
            "Is it up?",
            (
                stat(
                    "Ready",
                    "Gateways whose default model answers, as a share of all; fewer is bad.",
                    Unit.SHARE,
                    f"avg(packshot_ready{{{G}}})",
                    *bad_below(0.5, 1),
                ),
                stat(
                    "Availability",
                    "Renders in the range shown that did not fail for a reason of ours. The "
                    "objective is 99.9 %.",
                    Unit.SHARE,
                    f"1 - {_failed_share('$__range')}",
                    *bad_below(0.99, 0.999),
                ),
                stat(
                    "Error budget left",
                    "Of the 0.1 % of renders that may fail in 30 days, the share not spent. Below "
                    "zero the objective is missed.",
                    Unit.SHARE,
                    f"1 - ({_failed_share('30d')}) / 0.001",
                    *bad_below(0, 0.25),
                ),
                stat(
                    "Within a second",
                    "Interactive renders in the range shown that were answered within 1 s. The "
                    "objective is 99 %.",
                    Unit.SHARE,
                    "sum(increase(packshot_request_duration_seconds_bucket"
                    f'{{{_INTERACTIVE}, le="1.0"}}[$__range]))'
                    " / sum(increase(packshot_request_duration_seconds_count"
                    f"{{{_INTERACTIVE}}}[$__range]))",
                    *bad_below(0.95, 0.99),
                ),
                stat(
                    "Images a second",
                    "Photos rendered.",
                    Unit.COUNT,
                    _IMAGES_PER_S,
                ),
                stat(
                    "Alerts firing",
                    "Pages and tickets that fire now.",
                    Unit.COUNT,
                    'count(ALERTS{alertstate="firing", severity=~"page|ticket"}) or vector(0)',
                    Threshold(None, GOOD),
                    Threshold(1, BAD),
                ),
                stack(
                    "Renders by status",
                    "All renders asked for. Red ones (INTERNAL, UNAVAILABLE) are ours to mend, "
                    "RESOURCE_EXHAUSTED says that it is full.",
                    Unit.PER_S,
                    Query(
                        "sum by (code) (rate(packshot_requests_total"
                        f"{{{G}, {RENDERS}}}[$__rate_interval])) > 0",
                        "{{code}}",
                    ),
                    colors={
                        "OK": GOOD,
                        "RESOURCE_EXHAUSTED": WARNING,
                        "UNAVAILABLE": BAD,
                        "INTERNAL": BAD,
                    },
                ),
                stack(
                    "Errors by reason",
                    "Why calls end in an error; the reason is in each one's line of the log.",
                    Unit.PER_S,
                    Query(
                        "sum by (reason) (rate(packshot_errors_total"
                        f"{{{G}}}[$__rate_interval])) > 0",
                        "{{reason}}",
                    ),
                ),
                lines(
                    "Confidence of cuts",
                    "How sure the model is: median and lowest tenth. A fall means other photos "
                    "than it is made for.",
                    Unit.SHARE,
                    *(
                        Query(
                            f"histogram_quantile({share}, sum by (le) "
                            f"(rate(packshot_matte_confidence_bucket{{{G}}}[$__rate_interval])))",
                            name,
                        )
                        for share, name in ((0.5, "median"), (0.1, "lowest tenth"))
                    ),
                    most=1,
                ),
            ),
        ),
        Row(
            "Is it fast?",
            (
                lines(
                    "Latency of interactive renders",
                    "From the arrival of the whole request to its answer. Above 1 s the objective "
                    "suffers; a mark is a trace.",
                    Unit.SECONDS,
                    Query(_quantile(0.5), "p50"),
                    Query(_quantile(0.95), "p95", exemplars=True),
                    Query(_quantile(0.99), "p99"),
                    width=12,
                ),
                lines(
                    "Latency of bulk renders",
                    "The same for work that can wait.",
                    Unit.SECONDS,
                    *(
                        Query(
                            f"histogram_quantile({share}, sum by (le) (rate("
                            f"packshot_request_duration_seconds_bucket{{{G}, {RENDERS}, "
                            'priority="bulk", outcome="ok"}[$__rate_interval])))',
                            name,
                        )
                        for share, name in ((0.5, "p50"), (0.95, "p95"))
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Where does the time go?",
            (
                stack(
                    "Mean time by stage",
                    "What a render spends its time with: queue is waiting for a processor, infer "
                    "is Triton with its queue.",
                    Unit.SECONDS,
                    Query(
                        f"sum by (stage) ({_stage('sum')}) / sum by (stage) ({_stage('count')})",
                        "{{stage}}",
                    ),
                    width=12,
                ),
                lines(
                    "95th percentile by stage",
                    "The slowest twentieth of each stage; large photos show in decode and refine.",
                    Unit.SECONDS,
                    Query(
                        f"histogram_quantile(0.95, sum by (le, stage) ({_stage('bucket')}))",
                        "{{stage}}",
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "What does an image cost?",
            (
                stat(
                    "1000 images",
                    "Price of 1000 images at the present rate, by the prices above. Idle hours are "
                    "paid for as well: it falls as load rises.",
                    Unit.MONEY,
                    f"{_PRICE_PER_H} / (3600 * ({_IMAGES_PER_S} > 0)) * 1000",
                ),
                stat(
                    "Megapixels a second",
                    "Of the photos rendered: the better measure where sizes differ.",
                    Unit.COUNT,
                    f"sum(rate(packshot_pixels_total{{{G}}}[$__rate_interval])) / 1e6",
                ),
                lines(
                    "Images and megapixels",
                    "Rate of photos rendered, and of their pixels in millions.",
                    Unit.PER_S,
                    Query(_IMAGES_PER_S, "images"),
                    Query(
                        f"sum(rate(packshot_pixels_total{{{G}}}[$__rate_interval])) / 1e6",
                        "megapixels",
                    ),
                ),
                lines(
                    "Bytes in and out",
                    "Photos received and pictures answered.",
                    Unit.BYTES_PER_S,
                    Query(f"sum(rate(packshot_photo_bytes_total{{{G}}}[$__rate_interval]))", "in"),
                    Query(
                        f"sum(rate(packshot_picture_bytes_total{{{G}}}[$__rate_interval]))", "out"
                    ),
                ),
            ),
        ),
        Row(
            "What runs?",
            (
                stat(
                    "Calls inside",
                    "Calls that the gateways are answering now, streams as one each.",
                    Unit.COUNT,
                    f"sum(packshot_requests_in_flight{{{G}}})",
                ),
                stat(
                    "Decode workers lost",
                    "In the range shown: crashed by a photo, hung or killed. More than a few: look "
                    "who sends such photos.",
                    Unit.COUNT,
                    f"sum(increase(packshot_decode_workers_lost_total{{{G}}}[$__range]))",
                    *bad_above(1, 10),
                ),
                stat(
                    "Log lines dropped",
                    "In the range shown: nobody read the gateways' standard error.",
                    Unit.COUNT,
                    f"sum(increase(packshot_log_lines_dropped_total{{{G}}}[$__range]))",
                    *bad_above(1, 1000),
                ),
                stat(
                    "Event loop silent",
                    "The longest of all gateways; not ready after 3 s, not alive after 30.",
                    Unit.SECONDS,
                    f"max(packshot_event_loop_silence_seconds{{{G}}})",
                    *bad_above(1, 3),
                ),
                stat(
                    "Versions",
                    "Builds of the gateways that run.",
                    Unit.COUNT,
                    Query(
                        f"count by (version, revision) (packshot_build_info{{{G}}})",
                        "{{version}} {{revision}}",
                    ),
                ),
            ),
        ),
    ),
)
