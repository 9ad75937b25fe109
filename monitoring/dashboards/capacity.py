"""Capacity: how full it is, how much room there is, and what a core and a GPU bring."""

from typing import Final

from monitoring.dashboards.panels import (
    Dashboard,
    G,
    Need,
    Panel,
    Query,
    Row,
    Unit,
    bad_above,
    lines,
    stack,
    stat,
)

_IMAGES_PER_S: Final = f"sum(rate(packshot_images_total{{{G}}}[$__rate_interval]))"
_CORES_BUSY: Final = f"sum(rate(packshot_cpu_seconds_total{{{G}}}[$__rate_interval]))"


def _against_limit(title: str, about: str, unit: Unit, held: str, limit: str) -> Panel:
    by = "sum by (priority)" if held.startswith("packshot_admitted") else "sum"
    legend = "{{priority}}" if held.startswith("packshot_admitted") else "now"
    return lines(
        title,
        about,
        unit,
        Query(f"{by} ({held}{{{G}}})", legend),
        Query(f"sum({limit}{{{G}}})", "limit"),
    )


CAPACITY: Final = Dashboard(
    "packshot-capacity",
    "Packshot: capacity",
    "How full the gateways are, how much room is left, and what a core and a GPU bring.",
    (
        Row(
            "Is it full?",
            (
                stat(
                    "Fullest bound",
                    "The highest of requests, bytes and pixels inside, as a share of its limit.",
                    Unit.SHARE,
                    f"max(sum by (instance) (packshot_admitted_requests{{{G}}})"
                    f" / on (instance) packshot_admitted_requests_limit{{{G}}}"
                    f" or sum by (instance) (packshot_admitted_bytes{{{G}}})"
                    f" / on (instance) packshot_admitted_bytes_limit{{{G}}}"
                    f" or sum by (instance) (packshot_admitted_pixels{{{G}}})"
                    f" / on (instance) packshot_admitted_pixels_limit{{{G}}})",
                    *bad_above(0.7, 0.9),
                ),
                stat(
                    "Refused",
                    "Share of renders that are told to come back later.",
                    Unit.SHARE,
                    f"sum(rate(packshot_admission_refusals_total{{{G}}}[$__rate_interval]))"
                    " / sum(rate(packshot_requests_total"
                    f'{{{G}, method=~"Render|RenderStream[.]photo"}}[$__rate_interval]))',
                    *bad_above(0.01, 0.05),
                ),
                stat(
                    "Worker threads busy",
                    "Time that renders spend on worker threads, as a share of what there is. Near "
                    "one, more gateways or cores are needed.",
                    Unit.SHARE,
                    "sum(rate(packshot_stage_duration_seconds_sum"
                    f'{{{G}, stage!~"queue|infer"}}[$__rate_interval]))'
                    f" / sum(packshot_worker_threads{{{G}}})",
                    *bad_above(0.8, 0.95),
                ),
                stat(
                    "Memory of its ceiling",
                    "The fullest gateway, with its decode workers.",
                    Unit.SHARE,
                    f"max(sum by (instance) (packshot_resident_memory_bytes{{{G}}})"
                    f" / on (instance) packshot_memory_ceiling_bytes{{{G}}})",
                    *bad_above(0.8, 0.9),
                ),
                stat(
                    "Estimated wait",
                    "Until everything inside is done, by admission's estimate, longest priority.",
                    Unit.SECONDS,
                    f"max(packshot_estimated_wait_seconds{{{G}}})",
                    *bad_above(0.5, 2),
                ),
                stat(
                    "Streams open",
                    "Streams of photos, of as many as may be.",
                    Unit.SHARE,
                    f"sum(packshot_open_streams{{{G}}}) / sum(packshot_open_streams_limit{{{G}}})",
                    *bad_above(0.7, 0.9),
                ),
            ),
        ),
        Row(
            "What fills it?",
            (
                _against_limit(
                    "Renders inside",
                    "Let in and not left yet, against the limit of all gateways together.",
                    Unit.COUNT,
                    "packshot_admitted_requests",
                    "packshot_admitted_requests_limit",
                ),
                _against_limit(
                    "Bytes inside",
                    "Requests, and replies that wait for their caller.",
                    Unit.BYTES,
                    "packshot_admitted_bytes",
                    "packshot_admitted_bytes_limit",
                ),
                _against_limit(
                    "Pixels inside",
                    "Photos, backgrounds and pictures of the renders inside.",
                    Unit.COUNT,
                    "packshot_admitted_pixels",
                    "packshot_admitted_pixels_limit",
                ),
                _against_limit(
                    "Being received",
                    "Photos on their way in; full means slow senders or a full line.",
                    Unit.COUNT,
                    "packshot_receiving_requests",
                    "packshot_receiving_requests_limit",
                ),
                stack(
                    "Refusals by bound",
                    "What was full when a render was refused, and connections closed because their "
                    "callers did not take their replies.",
                    Unit.PER_S,
                    Query(
                        "sum by (bound, priority) (rate(packshot_admission_refusals_total"
                        f"{{{G}}}[$__rate_interval]))",
                        "{{bound}} {{priority}}",
                    ),
                    Query(
                        f"sum(rate(packshot_connections_dropped_total{{{G}}}[$__rate_interval]))",
                        "connections closed",
                    ),
                ),
                stack(
                    "Memory",
                    "Resident memory of gateways and decode workers.",
                    Unit.BYTES,
                    Query(f"sum by (part) (packshot_resident_memory_bytes{{{G}}})", "{{part}}"),
                ),
            ),
        ),
        Row(
            "What does a core bring, and a GPU?",
            (
                lines(
                    "Images for a core-second",
                    "Images for each second of processor time of gateways and decode workers, "
                    "Triton's aside. A fall: larger photos, or a regression.",
                    Unit.COUNT,
                    Query(f"{_IMAGES_PER_S} / ({_CORES_BUSY} > 0)", "images"),
                ),
                lines(
                    "Images for a GPU-second",
                    "Images for each second that a GPU worked: what the GPU could do if it were "
                    "always busy.",
                    Unit.COUNT,
                    Query(f"{_IMAGES_PER_S} / (sum(nv_gpu_utilization) > 0)", "images", Need.GPU),
                ),
                stack(
                    "Cores busy",
                    "Processor time a second, gateways and their decode workers.",
                    Unit.COUNT,
                    Query(
                        "sum by (part) (rate(packshot_cpu_seconds_total"
                        f"{{{G}}}[$__rate_interval]))",
                        "{{part}}",
                    ),
                ),
                lines(
                    "Headroom",
                    "Images a second that the worker threads could do at the present cost of an "
                    "image, and what they do.",
                    Unit.PER_S,
                    Query(
                        f"sum(packshot_worker_threads{{{G}}}) * {_IMAGES_PER_S}"
                        " / (sum(rate(packshot_stage_duration_seconds_sum"
                        f'{{{G}, stage!~"queue|infer"}}[$__rate_interval])) > 0)',
                        "could",
                    ),
                    Query(_IMAGES_PER_S, "do"),
                ),
            ),
        ),
        Row(
            "How far is a catalogue's job?",
            (
                stat(
                    "Time left",
                    "Until the run is over, by its pace so far. Empty while no job runs.",
                    Unit.SECONDS,
                    Query("max(packshot_catalogue_seconds_left)", need=Need.JOB),
                ),
                stat(
                    "Photos left",
                    "Of those that the run is to render.",
                    Unit.COUNT,
                    Query("sum(packshot_catalogue_photos_left)", need=Need.JOB),
                ),
                stat(
                    "Failed",
                    "Share of the photos that have no packshot; each has a row that says why.",
                    Unit.SHARE,
                    Query(
                        'sum(packshot_catalogue_photos_total{outcome="failed"})'
                        " / (sum(packshot_catalogue_photos_total) > 0)",
                        need=Need.JOB,
                    ),
                    *bad_above(0.02, 0.1),
                ),
                stack(
                    "Pace",
                    "Photos with an outcome, a second, and those that were sent again. Many of the "
                    "latter: a gateway is full, away, or breaks off.",
                    Unit.PER_S,
                    Query(
                        "sum by (outcome) (rate(packshot_catalogue_photos_total"
                        "[$__rate_interval]))",
                        "{{outcome}}",
                        Need.JOB,
                    ),
                    Query(
                        "sum(rate(packshot_catalogue_repeats_total[$__rate_interval]))",
                        "sent again",
                        Need.JOB,
                    ),
                    width=12,
                ),
            ),
        ),
    ),
)
