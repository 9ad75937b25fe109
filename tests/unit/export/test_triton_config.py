"""config.pbtxt says what Triton needs, and says of the committed models what is true."""

from pathlib import Path

import pytest

pb = pytest.importorskip(
    "tritonclient.grpc.model_config_pb2", reason="the export group (tritonclient) is missing"
)
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from google.protobuf.text_format import ParseError  # noqa: E402

from export.triton_config import Kind, MatteModelConfig, read_config  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
TYPES = {"tensor(uint8)": pb.TYPE_UINT8, "tensor(float)": pb.TYPE_FP32}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    config = MatteModelConfig("matte", 256, max_batch_size=8, max_queue_delay_us=50)
    config.write(tmp_path / "config.pbtxt")
    message = read_config(tmp_path / "config.pbtxt")
    assert message == config.message()
    assert message.backend == "onnxruntime"
    assert message.max_batch_size == 8
    assert message.HasField("dynamic_batching")
    assert message.dynamic_batching.max_queue_delay_microseconds == 50


@pytest.mark.parametrize("kind", list(Kind))
def test_instances_go_where_they_are_told(kind: Kind) -> None:
    (group,) = MatteModelConfig("matte", 256, kind=kind).message().instance_group
    assert pb.ModelInstanceGroup.Kind.Name(group.kind) == f"KIND_{kind.value.upper()}"
    assert group.count == 1


def test_the_smallest_and_the_largest_batch_are_warmed_up() -> None:
    warmups = MatteModelConfig("matte", 256, max_batch_size=8).message().model_warmup
    assert [warmup.batch_size for warmup in warmups] == [1, 8]
    assert all(list(w.inputs["photo"].dims) == [256, 256, 3] for w in warmups)
    assert len(MatteModelConfig("matte", 256, max_batch_size=1).message().model_warmup) == 1


def test_a_request_may_shorten_its_time_in_the_queue() -> None:
    policy = MatteModelConfig("matte", 256).message().dynamic_batching.default_queue_policy
    assert policy.allow_timeout_override
    # Triton takes a request's own timeout only where it is below this one, which 0 never is.
    assert policy.default_timeout_microseconds > 0


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("*/config.pbtxt")), ids=str)
def test_every_committed_model_has_the_queue_of_two_priorities(path: Path) -> None:
    made = MatteModelConfig("matte", 256).message().dynamic_batching
    assert read_config(path).dynamic_batching == made


def test_a_field_that_triton_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.write_text('name: "matte"\nmax_batchsize: 8\n')
    with pytest.raises(ParseError, match="max_batchsize"):
        read_config(path)


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("*/config.pbtxt")), ids=str)
def test_a_committed_config_is_true_of_its_onnx_file(path: Path) -> None:
    message = read_config(path)
    assert message.name == path.parent.name
    session = ort.InferenceSession(str(path.parent / "1" / "model.onnx"))
    for told, real in (
        (message.input, session.get_inputs()),
        (message.output, session.get_outputs()),
    ):
        assert [(one.name, one.data_type, list(one.dims)) for one in told] == [
            (one.name, TYPES[one.type], one.shape[1:]) for one in real
        ]


def test_the_default_model_is_committed_and_small() -> None:
    folder = REPOSITORY / "matte"
    assert (folder / "config.pbtxt").is_file()
    assert 1_000_000 < (folder / "1" / "model.onnx").stat().st_size < 10_000_000


def test_the_card_goes_where_the_gateway_looks_for_it() -> None:
    from gateway.inference.model_card import CARD_PARAMETER, read_card  # noqa: PLC0415  the other side

    text = '{"licence": "MIT", "network": "n", "parameters": 3}'
    message = MatteModelConfig("m", 64, card=text).message()
    card = read_card("m", message.parameters[CARD_PARAMETER].string_value)
    assert card
    assert (card.licence, card.parameters) == ("MIT", 3)
    assert CARD_PARAMETER not in MatteModelConfig("m", 64).message().parameters
