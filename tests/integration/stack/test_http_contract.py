"""Each parameter of remove.bg's contract, by what it does to the picture."""

import inspect
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.integration.processes import ROOT
from tests.integration.stack.conftest import FaceProcess
from tests.support.pictures import decode, encode, encode_image
from web import photoroom
from web.removebg.parameters import PARAMETERS, SIZES

with Image.open(ROOT / "samples" / "mug.jpg") as _mug:
    WIDTH, HEIGHT = _mug.size
    # Large enough that every size is told apart.
    LARGE = encode_image(_mug.resize((2400, 1800)), "JPEG", quality=85)
    SMALL = encode_image(_mug.resize((600, 450)), "JPEG", quality=90)


class Caller:
    """Calls the face with the small photo, and reads pictures."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(
        self, photo: bytes = SMALL, path: str = "/v1.0/removebg", **fields: Any
    ) -> httpx.Response:
        files = {"image_file": ("photo.jpg", photo)}
        files |= {
            name: fields.pop(name) for name in list(fields) if isinstance(fields[name], tuple)
        }
        return self.http.post(path, files=files, data={"size": "full", **fields})

    def picture(self, **fields: Any) -> npt.NDArray[np.uint8]:
        answer = self.post(**fields)
        assert answer.status_code == 200, answer.text
        return np.asarray(decode(answer.content))

    def refusal(self, **fields: Any) -> tuple[int, str]:
        answer = self.post(**fields)
        return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture(scope="module")
def call(face: FaceProcess) -> Iterator[Caller]:
    with httpx.Client(base_url=face.url, timeout=60) as http:
        yield Caller(http)


def box(answer: httpx.Response) -> tuple[int, int, int, int, int, int]:
    names = ("Foreground-Left", "Foreground-Top", "Foreground-Width", "Foreground-Height")
    left, top, width, height, across, down = (
        int(answer.headers[f"X-{name}"]) for name in (*names, "Width", "Height")
    )
    return left, top, width, height, across, down


def approximated(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.headers.get("X-Packshot-Approximated", ""))


def test_image_file(call: Caller) -> None:
    picture = call.picture()
    assert picture.shape == (450, 600, 4)
    assert picture[225, 250, 3] > 240
    assert picture[5, 5, 3] == 0


def test_image_file_b64(call: Caller) -> None:
    text = b64encode(SMALL).decode()
    whole = call.post().content
    for body in (
        {"data": {"image_file_b64": text, "size": "full"}},
        {"data": {"image_file_b64": f"data:image/jpeg;base64,{text}", "size": "full"}},
        {"json": {"image_file_b64": text, "size": "full", "crop": False, "scale": None}},
    ):
        answer = call.http.post("/v1.0/removebg", **body)
        assert answer.content == whole
    answer = call.http.post("/v1.0/removebg", json={"image_file_b64": "no Base64!"})
    assert answer.json()["errors"][0]["code"] == "invalid_image_file_b64"


@pytest.mark.parametrize("name", ["image_url", "bg_image_url"])
def test_image_url_and_bg_image_url(call: Caller, name: str) -> None:
    fields: dict[str, Any] = {name: "https://example.com/photo.jpg"}
    if name == "image_url":
        answer = call.http.post("/v1.0/removebg", data=fields)
    else:
        answer = call.post(SMALL, **fields)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, f"invalid_{name}")


def test_size(call: Caller) -> None:
    for size, most in SIZES.items():
        answer = call.post(LARGE, size=size, format="jpg")
        assert answer.status_code == 200
        width, height = int(answer.headers["X-Width"]), int(answer.headers["X-Height"])
        assert width * height <= most
        assert decode(answer.content).size == (width, height)
        if most > 2400 * 1800:
            assert (width, height) == (2400, 1800)
        else:
            assert width * height > 0.99 * most
    assert call.refusal(size="huge") == (400, "invalid_size")


def test_type(call: Caller) -> None:
    answer = call.post(type="car")
    assert approximated(answer) == "type"
    assert answer.headers["X-Type"] == "car"
    assert answer.content == call.post().content
    assert call.post().headers["X-Type"] == "other"


def test_type_level(call: Caller) -> None:
    assert "X-Type" not in call.post(type_level="none").headers
    assert call.refusal(type_level="3") == (400, "invalid_type_level")


def test_format(call: Caller) -> None:
    assert decode(call.post(format="auto").content).format == "PNG"
    assert decode(call.post(format="auto", bg_color="fff").content).format == "JPEG"
    assert decode(call.post(format="png", bg_color="fff").content).mode == "RGB"
    assert decode(call.post(format="webp").content).mode == "RGBA"
    white = call.picture(format="jpg")
    assert white[3, 3].tolist() == [255, 255, 255]
    assert call.refusal(format="gif") == (400, "invalid_format")


def test_format_zip(call: Caller) -> None:
    answer = call.post(format="zip")
    assert answer.headers["Content-Type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        colors, alpha = (np.asarray(decode(archive.read(name))) for name in archive.namelist())
    whole = call.picture().astype(int)
    np.testing.assert_array_equal(alpha, whole[..., 3])
    seen = whole[..., 3] > 128
    assert np.abs(colors.astype(int) - whole[..., :3])[seen].mean() < 3
    assert call.refusal(format="zip", bg_color="red") == (400, "invalid_format")


def test_crop(call: Caller) -> None:
    left, top, width, height, across, down = box(call.post(crop="true"))
    assert (left, top, width, height) == (0, 0, across, down)
    assert box(call.post(crop="false"))[4:] == (600, 450)


def test_crop_margin(call: Caller) -> None:
    left, top, width, height, across, down = box(call.post(crop="true", crop_margin="10% 20%"))
    assert left == pytest.approx(0.2 * width, abs=2)
    assert top == pytest.approx(0.1 * height, abs=2)
    left, top, width, height, across, down = box(
        call.post(crop="true", crop_margin="10px 20px 30px 40px")
    )
    assert (left, top, across - left - width, down - top - height) == (40, 10, 20, 30)
    assert call.refusal(crop="true", crop_margin="51%") == (400, "invalid_crop_margin")
    assert call.refusal(crop="true", crop_margin="1px 2px 3px") == (400, "invalid_crop_margin")
    assert approximated(call.post(crop_margin="10%")) == "crop_margin"


def test_scale(call: Caller) -> None:
    left, _, width, height, across, down = box(call.post(scale="50%"))
    assert max(width / across, height / down) == pytest.approx(0.5, abs=0.01)
    assert left + width / 2 == pytest.approx(across / 2, abs=2)
    assert call.refusal(scale="9%") == (400, "invalid_scale")


def test_position(call: Caller) -> None:
    left, top, *_ = box(call.post(scale="40%", position="0% 100%"))
    assert left == 0
    assert top > 0
    left, top, width, height, across, down = box(call.post(scale="40%", position="100%"))
    assert (left + width, top + height) == (across, down)
    middle = box(call.post(scale="40%", position="center"))
    assert middle == box(call.post(scale="40%"))
    assert approximated(call.post(scale="40%", position="original")) == "position"
    assert approximated(call.post(position="10%")) == "position"
    assert call.refusal(position="left") == (400, "invalid_position")


def test_channels(call: Caller) -> None:
    alpha = call.picture(channels="alpha")
    np.testing.assert_array_equal(alpha, call.picture()[..., 3])
    assert decode(call.post(channels="alpha", format="jpg").content).format == "JPEG"
    assert approximated(call.post(channels="alpha", bg_color="red")) == "bg_color"


def opacity(picture: npt.NDArray[np.uint8]) -> float:
    return float(picture[..., 3].mean())


def test_add_shadow(call: Caller) -> None:
    assert opacity(call.picture(add_shadow="true")) > opacity(call.picture()) + 1
    assert call.refusal(add_shadow="maybe") == (400, "invalid_add_shadow")


def test_shadow_type(call: Caller) -> None:
    drop, contact = call.picture(shadow_type="drop"), call.picture(shadow_type="3D")
    assert opacity(drop) > opacity(call.picture())
    assert np.abs(drop.astype(int) - contact).max() > 20
    np.testing.assert_array_equal(contact, call.picture(add_shadow="true"))
    assert approximated(call.post(shadow_type="car")) == "shadow_type"
    assert approximated(call.post(shadow_type="drop")) == ""


def test_shadow_opacity(call: Caller) -> None:
    faint = call.picture(shadow_type="drop", shadow_opacity="20")
    assert opacity(faint) < opacity(call.picture(shadow_type="drop", shadow_opacity="90"))
    assert call.refusal(shadow_type="drop", shadow_opacity="101") == (400, "invalid_shadow_opacity")


def test_shadow_method_and_semitransparency(call: Caller) -> None:
    plain = call.post().content
    for name, value in (("shadow_method", "legacy"), ("semitransparency", "false")):
        answer = call.post(SMALL, **{name: value})
        assert approximated(answer) == name
        assert answer.content == plain
    assert approximated(call.post(semitransparency="true")) == ""


def test_bg_color(call: Caller) -> None:
    for text, color in (
        ("81d4fa", (0x81, 0xD4, 0xFA)),
        ("#f00", (255, 0, 0)),
        ("green", (0, 128, 0)),
        ("81d4faff", (0x81, 0xD4, 0xFA)),
    ):
        answer = call.post(bg_color=text, format="png")
        assert decode(answer.content).convert("RGB").getpixel((2, 2)) == color
        assert approximated(answer) == ""
    half = call.post(bg_color="81d4fa77", format="png")
    assert approximated(half) == "bg_color"
    assert decode(half.content).getpixel((2, 2)) == (0x81, 0xD4, 0xFA)
    assert call.picture(bg_color="0000")[2, 2, 3] == 0
    assert call.refusal(bg_color="octarine") == (400, "invalid_bg_color")


def test_bg_image_file(call: Caller) -> None:
    blue = encode(np.full((40, 40, 3), (10, 20, 230), np.uint8))
    picture = call.picture(bg_image_file=("blue.png", blue), format="png")
    assert picture[2, 2].tolist() == [10, 20, 230]
    assert call.refusal(bg_image_file=("blue.png", blue), bg_color="red") == (
        400,
        "multiple_bg_sources",
    )


def test_roi(call: Caller) -> None:
    plain = call.picture()
    assert call.post(roi="0% 0% 100% 100%").content == call.post().content
    left = call.picture(roi="0% 0% 50% 100%")
    # Borders are soft over a few pixels.
    assert left[:, 310:, 3].max() == 0
    assert left[:, :290, 3].sum() > 0.8 * plain[:, :290, 3].sum()
    upper = call.picture(roi="100px 0px 500px 225px")
    assert upper[235:, :, 3].max() == 0
    assert upper[:, :90, 3].max() == 0
    assert upper[:215, 110:490, 3].sum() > 0.8 * plain[:215, 110:490, 3].sum()
    for wrong, code in (
        ("10 20", "invalid_roi"),
        ("10px 0% 90% 100%", "invalid_roi"),
        ("50% 0% 50% 100%", "roi_region_empty"),
        ("0% 0% 101% 100%", "roi_exceeds_bounds"),
        ("0px 0px 601px 450px", "roi_exceeds_bounds"),
    ):
        assert call.refusal(roi=wrong) == (400, code)


def test_every_parameter_has_its_test() -> None:
    written = "\n".join(
        f"{name}\n{inspect.getsource(function)}"
        for name, function in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
        if name.startswith("test_") and "every_parameter" not in name
    )
    assert [each.name for each in PARAMETERS if each.name not in written] == []


def test_what_is_unknown_or_left_out_is_told(call: Caller) -> None:
    answer = call.post(wobble="1", scale="undefined", bg_color="")
    assert approximated(answer) == "wobble"
    assert "ignored" in answer.headers["X-Packshot-Notes"]


def test_json_answers_hold_the_foreground_s_box(call: Caller) -> None:
    files = {"image_file": ("photo.jpg", SMALL)}
    accept = {"Accept": "application/json"}
    answer = call.http.post("/v1.0/removebg", files=files, data={"size": "full"}, headers=accept)
    data = answer.json()["data"]
    assert b64decode(data["result_b64"]) == call.post().content
    left, top, width, height, *_ = box(answer)
    assert [data[f"foreground_{side}"] for side in ("left", "top", "width", "height")] == [
        left,
        top,
        width,
        height,
    ]


def test_sources_are_exactly_one_and_pictures(call: Caller) -> None:
    def code(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["errors"][0]["code"]

    assert code(call.http.post("/v1.0/removebg", data={"size": "full"})) == (400, "missing_source")
    assert call.refusal(image_url="https://x.example/") == (400, "multiple_sources")
    assert call.refusal(photo=b"no picture") == (400, "failed_to_read_image")
    tiny = encode(np.full((8, 8, 3), 200, np.uint8))
    assert call.refusal(photo=tiny) == (400, "image_too_small")
    blank = encode(np.full((400, 400, 3), 255, np.uint8))
    assert call.refusal(photo=blank) == (400, "unknown_foreground")
    assert code(call.http.get("/v1.0/account")) == (404, "no_accounts")
    assert code(call.http.get("/nowhere")) == (404, "not_found")
    assert code(call.http.get("/v1.0/removebg")) == (405, "method_not_allowed")


def test_photoroom_s_segment(call: Caller) -> None:
    plain = call.post(path="/v1/segment", size="full")
    assert decode(plain.content).mode == "RGBA"
    assert decode(plain.content).size == (600, 450)
    white = call.post(
        path="/v1/segment", size="preview", format="jpg", bg_color="white", crop="true"
    )
    assert decode(white.content).format == "JPEG"
    wrong = call.post(path="/v1/segment", size="vast")
    assert wrong.status_code == 400
    assert wrong.json()["error"]["code"] == "invalid_size"
    assert {each.name for each in photoroom.PARAMETERS} >= {"image_file", "size", "format", "crop"}
    assert approximated(call.post(path="/v1/segment", despill="true")) == "despill"


def test_openapi_is_the_table(call: Caller) -> None:
    document = json.loads(call.http.get("/openapi.json").text)
    content = document["paths"]["/v1.0/removebg"]["post"]["requestBody"]["content"]
    assert set(content) == {
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json",
    }
    properties = content["multipart/form-data"]["schema"]["properties"]
    assert list(properties) == [each.name for each in PARAMETERS]
