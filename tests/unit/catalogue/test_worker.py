"""What a worker makes of a batch, against a real gRPC service that answers by a script."""

import hashlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from catalogue.places import Place
from catalogue.results import Results
from catalogue.rows import OK
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, failing, serving
from tests.support.waiting import wait_until
from tests.unit.catalogue.conftest import StartWorker

FULL = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=20_000_000))


def batch(folder: Path, *photos: bytes) -> pa.Table:
    """Write photos, and return what a worker is given of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, photo in enumerate(photos):
        path = folder / f"{number}.jpg"
        path.write_bytes(photo)
        rows.append(
            {
                "id": str(number),
                "input": str(path),
                "output": f"{number}.png",
                "own": "",
                "work": hashlib.sha256(photo).hexdigest(),
            }
        )
    return pa.Table.from_pylist(rows)


def status(code: grpc.StatusCode, reason: str = "", *details: Any) -> pb.Status:
    """Return an error as a stream answers it for one photo."""
    made = status_pb2.Status(code=code.value[0], message=f"{reason} it is")
    for detail in (error_details_pb2.ErrorInfo(reason=reason, domain="packshot"), *details):
        holder = any_pb2.Any()
        holder.Pack(detail)
        made.details.append(holder)
    return pb.Status.FromString(made.SerializeToString())


def rows(output: Place) -> dict[str, dict[str, Any]]:
    table = Results(output).rows().to_table().to_pylist()
    found = {row["id"]: row for row in table}
    assert len(found) == len(table)
    return found


def tally(table: pa.Table) -> dict[str, Any]:
    (told,) = table.to_pylist()
    return dict(told)


def test_each_photo_has_a_file_and_a_row_that_says_what_it_is(
    target: str, start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    told = tally(start_worker(target)(batch(tmp_path / "in", b"zero", b"one")))
    assert (told["ok"], told["failed"], told["repeats"], told["stopped"]) == (2, 0, [], None)
    assert told["output_bytes"] == 2 * len(b"picture")
    found = rows(output)["1"]
    assert output.read("1.png") == b"picture"
    digests = {"input_digest": b"one", "output_digest": b"picture"}
    for column, data in digests.items():
        assert found[column] == hashlib.sha256(data).hexdigest()
    wanted = {
        "status": OK,
        "reason": None,
        "confidence": 0.75,
        "model": "matte",
        "target": target,
        "model_version": "1",
        "width_px": 30,
        "height_px": 20,
        "input_bytes": 3,
        "attempts": 1,
        "sent_again_for": [],
        "notes": ["a note"],
        "may_pass": False,
        "job": "job",
        "output": "1.png",
        "cut": "keep",
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["stages_s"]["decode"] == 0.25
    assert found["read_s"] > 0
    assert found["service_s"] > 0
    assert found["write_s"] > 0


def test_a_batch_that_is_given_out_twice_is_rendered_once(
    target: str, service: Scripted, start_worker: StartWorker, tmp_path: Path
) -> None:
    photos = batch(tmp_path / "in", b"zero", b"bad one")
    first = tally(start_worker(target)(photos))
    again = tally(start_worker(target)(photos))
    assert (again["ok"], again["failed"]) == (first["ok"], first["failed"]) == (1, 1)
    assert len(service.requests) == 2


class Holding(Scripted):
    """A service that answers one photo after all others, and only once it is let go."""

    def __init__(self, others: int) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self._others = others
        self._has_held = False

    def RenderStream(  # noqa: N802
        self, request_iterator: Iterator[pb.RenderStreamRequest], context: Any
    ) -> Iterator[pb.RenderStreamResponse]:
        return super().RenderStream(self._held_back(request_iterator), context)

    def _held_back(
        self, messages: Iterator[pb.RenderStreamRequest]
    ) -> Iterator[pb.RenderStreamRequest]:
        held, others = None, 0
        for message in messages:
            if message.request.photo == b"held" and not self._has_held:
                self._has_held, held = True, message
            else:
                others += 1
                yield message
            if held is not None and others == self._others:
                self.let_go.wait(60)
                yield held


def test_what_a_worker_had_done_of_a_batch_is_not_done_by_the_next(
    start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    """The first worker has not ended when the second gets the batch, as one that was killed."""
    photos = batch(tmp_path / "in", *(f"photo {number}".encode() for number in range(9)), b"held")
    service = Holding(others=9)
    with serving(service, healthy=True) as target, ThreadPoolExecutor(1) as thread:
        killed = thread.submit(start_worker(target), photos)
        wait_until(lambda: len(Results(output).parts()) == 1 and len(rows(output)) == 9)
        told = tally(start_worker(target)(photos))
        assert (told["ok"], told["failed"]) == (10, 0)
        service.let_go.set()
        killed.result()
    assert Counter(each.photo for each in service.requests) == {
        **{f"photo {number}".encode(): 1 for number in range(9)},
        b"held": 2,
    }


class Refusing(Scripted):
    """A service that is away for a while, as a gateway without its Triton."""

    def __init__(self, error: pb.Status, seconds: float) -> None:
        super().__init__()
        self.refused = 0
        self._error = error
        self._until_s = time.monotonic() + seconds

    def RenderStream(  # noqa: N802
        self, request_iterator: Iterator[pb.RenderStreamRequest], context: Any
    ) -> Iterator[pb.RenderStreamResponse]:
        context.send_initial_metadata(())
        for message in request_iterator:
            if time.monotonic() < self._until_s:
                self.refused += 1
                yield pb.RenderStreamResponse(id=message.id, error=self._error)
            else:
                yield pb.RenderStreamResponse(id=message.id, response=ANSWER)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_gateway_that_refuses_is_not_sent_the_rest_of_the_line(
    start_worker: StartWorker, tmp_path: Path, code: grpc.StatusCode
) -> None:
    """Each photo of the line would be refused as well, again and again."""
    service = Refusing(status(code, "AWAY"), seconds=1.5)
    with serving(service, healthy=True) as target:
        photos = [f"photo {number}".encode() for number in range(60)]
        told = tally(start_worker(target)(batch(tmp_path / "in", *photos)))
    assert (told["ok"], told["failed"]) == (60, 0)
    assert told["repeats"] == ["AWAY"] * service.refused
    assert 1 <= service.refused <= 12


def test_photos_at_fault_are_rows_and_are_asked_for_once(
    target: str, service: Scripted, start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    service.failures["empty"] = status(grpc.StatusCode.FAILED_PRECONDITION, "NO_FOREGROUND")
    photos = batch(tmp_path / "in", b"bad", b"empty", b"good", b"gone")
    (tmp_path / "in" / "3.jpg").unlink()
    told = tally(start_worker(target)(photos))
    assert (told["ok"], told["failed"]) == (1, 3)
    found = rows(output)
    assert {name: (row["reason"], row["may_pass"]) for name, row in found.items()} == {
        "0": ("INVALID_ARGUMENT", False),
        "1": ("NO_FOREGROUND", False),
        "2": (None, False),
        "3": ("INPUT_MISSING", True),
    }
    assert str(tmp_path / "in" / "3.jpg") in found["3"]["message"]
    assert (found["0"]["output"], found["0"]["attempts"]) == (None, 1)
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (grpc.StatusCode.UNAVAILABLE, ()),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, (FULL,)),
        (grpc.StatusCode.INTERNAL, ()),
        (grpc.StatusCode.DEADLINE_EXCEEDED, ()),
    ],
)
def test_what_may_pass_is_sent_again_with_the_same_key(
    *,
    target: str,
    service: Scripted,
    start_worker: StartWorker,
    output: Place,
    tmp_path: Path,
    code: grpc.StatusCode,
    details: tuple[Any, ...],
) -> None:
    service.failures["two"] = status(code, "", *details)
    service.refusals["one"] = failing(code, "the stream breaks off", *details)
    told = tally(start_worker(target)(batch(tmp_path / "in", b"zero", b"one", b"two", b"three")))
    assert (told["ok"], told["failed"]) == (4, 0)
    # A stream that ends under a message being written is UNAVAILABLE to the client, whatever its
    # status; what was answered has its own.
    assert code.name in told["repeats"]
    assert set(told["repeats"]) <= {code.name, "UNAVAILABLE"}
    assert len(told["repeats"]) >= 2
    keys: dict[bytes, set[str]] = {}
    for request in service.requests:
        keys.setdefault(request.photo, set()).add(request.idempotency_key)
    assert {photo: len(each) for photo, each in keys.items()} == dict.fromkeys(
        (b"zero", b"one", b"two", b"three"), 1
    )
    assert len(set.union(*keys.values())) == 4
    found = rows(output)["2"]
    assert found["attempts"] == len(found["sent_again_for"]) + 1 >= 2


class Poisoned(Scripted):
    """A service that one photo brings down, however it comes."""

    def Render(self, request: pb.RenderRequest, context: Any) -> pb.RenderResponse:  # noqa: N802
        if request.photo == b"break":
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        return super().Render(request, context)


@pytest.mark.parametrize("alone", [False, True])
def test_a_photo_that_breaks_every_stream_is_a_row_and_stops_no_other(
    start_worker: StartWorker, output: Place, tmp_path: Path, *, alone: bool
) -> None:
    others = [f"photo {number}".encode() for number in range(1 if alone else 40)]
    with serving(Poisoned(), healthy=True) as target:
        told = tally(start_worker(target)(batch(tmp_path / "in", b"break", *others)))
    assert (told["ok"], told["failed"]) == (len(others), 1)
    found = rows(output)["0"]
    assert (found["reason"], found["may_pass"]) == ("UNAVAILABLE", True)
    assert found["attempts"] > 3


def test_several_gateways_share_the_work_and_one_that_is_away_loses_nothing(
    target: str, start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    with socket.socket() as nobody, serving(Scripted(), healthy=True) as second:
        nobody.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{nobody.getsockname()[1]}"
        photos = [f"photo {number}".encode() for number in range(200)]
        told = tally(start_worker(target, second, away)(batch(tmp_path / "in", *photos)))
    assert (told["ok"], told["failed"]) == (200, 0)
    assert {row["target"] for row in rows(output).values()} == {target, second}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OUT_OF_CREDITS"),
        (grpc.StatusCode.UNAUTHENTICATED, "API_KEY_REVOKED"),
    ],
)
def test_what_no_photo_gets_past_stops_the_job_and_keeps_what_is_done(
    *,
    target: str,
    service: Scripted,
    start_worker: StartWorker,
    output: Place,
    tmp_path: Path,
    code: grpc.StatusCode,
    reason: str,
) -> None:
    worker = start_worker(target)
    worker(batch(tmp_path / "before", b"zero"))
    service.failures["one"] = status(code, reason)
    told = tally(worker(batch(tmp_path / "in", b"one")))
    assert reason in told["stopped"]
    assert (told["ok"], told["failed"]) == (0, 0)
    asked = len(service.requests)
    assert reason in tally(worker(batch(tmp_path / "after", b"two")))["stopped"]
    assert len(service.requests) == asked
    assert set(rows(output)) == {"0"}


def test_an_absent_service_stops_the_job_when_patience_ends(
    start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{nobody.getsockname()[1]}"
        told = tally(start_worker(away, patience_s=0.5)(batch(tmp_path / "in", b"zero")))
    assert "no gateway has answered for" in told["stopped"]
    assert rows(output) == {}


def test_a_gateway_that_falls_silent_loses_its_photos_to_another(
    target: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    """A service that takes connections and says nothing, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        photos = [f"photo {number}".encode() for number in range(20)]
        worker = start_worker(address, target, silence_s=0.3)
        told = tally(worker(batch(tmp_path / "in", *photos)))
    assert (told["ok"], told["failed"], told["stopped"]) == (20, 0, None)


def test_an_output_that_cannot_be_written_is_a_row_and_ten_in_a_row_stop_the_job(
    target: str, start_worker: StartWorker, output: Place, tmp_path: Path
) -> None:
    worker = start_worker(target)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "taken").write_bytes(b"")
    photos = batch(tmp_path / "in", b"zero", b"one")
    at = photos.schema.get_field_index("output")
    told = tally(worker(photos.set_column(at, "output", pa.array(["taken/0.png", "1.png"]))))
    assert (told["ok"], told["failed"], told["stopped"]) == (1, 1, None)
    assert rows(output)["0"]["reason"] == "OUTPUT_UNWRITABLE"
    assert rows(output)["0"]["may_pass"]
    many = batch(tmp_path / "many", *(f"photo {number}".encode() for number in range(30)))
    told = tally(
        worker(many.set_column(at, "output", pa.array([f"taken/{n}.png" for n in range(30)])))
    )
    assert "10 outputs in a row cannot be written" in told["stopped"]
