"""Reading perf_analyzer's report and printing it."""

import pytest

from benchmarks.perf_analyzer import as_table, parse_report
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
    assert (one.concurrency, four.concurrency) == (1, 4)
    assert one.throughput_per_s == 7.65
    assert one.latency_us == 129995
    assert (one.queue_us, one.compute_us) == (173, 128158)
    assert (one.p50_us, one.p90_us, one.p95_us, one.p99_us) == (129246, 152724, 160037, 176040)


def test_the_table_has_milliseconds_under_their_names() -> None:
    header, one, four = as_table(parse_report(REPORT)).splitlines()
    figures = dict(zip(header.split(), one.split(), strict=True))
    assert figures["photos/s"] == "7.7"
    assert figures["latency"] == "130.0"
    assert figures["p99"] == "176.0"
    assert len(header) == len(one) == len(four)


@pytest.mark.parametrize(
    "lines", [[], REPORT[:1], ["a,b", "1,2"], [REPORT[0], REPORT[1].replace("9.5", "fast")]]
)
def test_what_is_no_report_is_an_error(lines: list[str]) -> None:
    with pytest.raises(AnalyzerError, match="report"):
        parse_report(lines)
