"""Reading perf_analyzer's report."""

import pytest

from benchmarks.perf_analyzer import parse_report
from serving.errors import AnalyzerError

REPORT = """\
Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,\
Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,\
p50 latency,p90 latency,p95 latency,p99 latency
4,9.5,40,500,300000,60,120000,1000,4,420000,430000,440000,450000
1,7.65,36,510,173,59,128158,1055,4,129246,152724,160037,176040
""".splitlines()


def test_a_report_is_read_in_order_of_concurrency() -> None:
    one, four = parse_report(REPORT)
    assert (one["concurrency"], four["concurrency"]) == (1, 4)
    assert one["images_per_s"] == 7.65
    assert one["mean_ms"] == 129.995
    assert (one["queue_ms"], one["compute_ms"]) == (0.173, 128.158)
    assert [one[f"p{rank}_ms"] for rank in (50, 90, 95, 99)] == [129.246, 152.724, 160.037, 176.04]


@pytest.mark.parametrize(
    "lines", [[], REPORT[:1], ["a,b", "1,2"], [REPORT[0], REPORT[1].replace("9.5", "fast")]]
)
def test_what_is_no_report_is_an_error(lines: list[str]) -> None:
    with pytest.raises(AnalyzerError, match="report"):
        parse_report(lines)
