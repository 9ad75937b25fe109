"""What a request may be: small options, each file once; it is known before anything is parsed."""

import pytest

from gateway.rpc.request_limits import MAX_FIELDS, MAX_OPTION_BYTES, MAX_SMALL_BYTES, parser
from imaging.errors import InvalidInputError
from packshot.v1 import packshot_pb2 as pb
from tests.attack.proto_bombs import METHODS, bombs

RENDER = "/packshot.v1.PackshotService/Render"
STREAM = "/packshot.v1.PackshotService/RenderStream"
FILE = bytes(300_000)
FULL = pb.RenderRequest(
    photo=FILE,
    model="matte",
    background=pb.Background(
        picture=pb.BackgroundPicture(picture=FILE, color="#102030", position=pb.Position())
    ),
    frame=pb.Frame(width_px=100, scale=0.5, margin=pb.Margins(left=pb.Length(px=3))),
    output=pb.Output(quality=80),
    staging=pb.Staging(shadow_opacity=0.5),
    priority=pb.PRIORITY_BULK,
    region=pb.Region(left=pb.Coordinate(px=1), right=pb.Coordinate(percent=90)),
    hints=pb.Hints(keep_mask=FILE, erase_mask=FILE),
)


def never(_data: bytes) -> None:
    raise AssertionError("the message was made")


def test_requests_with_files_and_all_options_pass() -> None:
    assert parser(RENDER, pb.RenderRequest.FromString)(FULL.SerializeToString()) == FULL
    streamed = pb.RenderStreamRequest(id="x" * 128, request=FULL)
    parsed = parser(STREAM, pb.RenderStreamRequest.FromString)(streamed.SerializeToString())
    assert parsed == streamed
    assert parser(RENDER, pb.RenderRequest.FromString)(b"") == pb.RenderRequest()


def test_fields_of_a_later_version_pass() -> None:
    unknown = b"\xf8\x07\x01" + b"\xfd\x07abcd" + b"\xf9\x07abcdefgh" + b"\xfa\x07\x03abc"
    data = FULL.SerializeToString() + unknown
    assert parser(RENDER, pb.RenderRequest.FromString)(data).photo == FILE


@pytest.mark.parametrize("name", bombs(8))
@pytest.mark.parametrize("method", METHODS)
def test_a_bomb_is_refused_before_it_is_made_a_message(name: str, method: str) -> None:
    data = bombs(2**20)[name]
    if method == STREAM:
        size = len(data)
        data = pb.RenderStreamRequest(id="a").SerializeToString() + b"\x12"
        data += (
            bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14)) + bombs(2**20)[name]
        )
    with pytest.raises(InvalidInputError) as refused:
        parser(method, never)(data)
    figures = refused.value.figures
    if name not in ("groups", "unended") or method not in (RENDER, STREAM):
        assert int(figures["value"]) > int(figures["limit"])
        assert figures["limit"] in str(refused.value)
        assert figures["value"] in str(refused.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bombs(4 * MAX_OPTION_BYTES)["oneofs"], f"the limit is {MAX_FIELDS}"),
        (b"\x12\x80\x80\x08" + bytes(2**17), f"the limit is {MAX_OPTION_BYTES}"),
        (pb.RenderRequest(photo=b"a").SerializeToString() * 2, "photo is there 2 times or more"),
        (
            pb.RenderRequest(
                background=pb.Background(picture=pb.BackgroundPicture(picture=b"a"))
            ).SerializeToString()
            * 2,
            "background.picture.picture is there 2 times or more",
        ),
        *(
            (
                pb.RenderRequest(hints=pb.Hints(**{name: b"a"})).SerializeToString() * 2,
                f"hints.{name} is there 2 times or more",
            )
            for name in ("keep_mask", "erase_mask")
        ),
        (b"\x0a\x05abc", "beyond its end"),
        (b"\x1a\x05\x22\x09abc", "beyond its end"),
        (b"\x0a" + b"\xff" * 11, "beyond its end"),
        (b"\x7b\x7c", "wire type 3"),
    ],
)
def test_what_is_over_a_limit_or_broken_is_named(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parser(RENDER, never)(data)


def test_text_that_is_none_is_refused_by_the_parser() -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        parser(RENDER, pb.RenderRequest.FromString)(b"\x12\x01\xff")


def test_a_request_without_files_has_a_small_limit() -> None:
    method = "/packshot.v1.PackshotService/ListModels"
    assert parser(method, len)(bytes(MAX_SMALL_BYTES)) == MAX_SMALL_BYTES
    with pytest.raises(InvalidInputError, match=f"has 4097 bytes; the limit is {MAX_SMALL_BYTES}"):
        parser(method, never)(bytes(MAX_SMALL_BYTES + 1))
