"""A product's colours and its matte as two files, and a picture's most pixels."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from gateway.rpc.requests.reader import OptionReader
from imaging.decode.pixels_held import charged_pixels
from imaging.encode import PictureFormat
from imaging.errors import InvalidOptionError
from imaging.framing.frame import Frame, FrameLimits, Length, Margins, place_in_frame
from imaging.types import Box
from packshot import AsyncClient, InvalidRequestError
from packshot.v1 import packshot_pb2 as pb
from tests.support.pictures import decode, encode, product_photo

LIMITS = FrameLimits(max_side_px=10_000, max_pixels=64_000_000)
PHOTO = encode(product_photo())


async def test_layers_recombine_to_the_transparent_picture(client: AsyncClient) -> None:
    layers = await client.render(PHOTO, content="layers", format="png")
    whole = np.asarray(decode((await client.render(PHOTO, background="transparent")).picture))
    colors, matte = decode(layers.picture), decode(layers.matte)
    assert (colors.mode, matte.mode, colors.size) == ("RGB", "L", matte.size)
    np.testing.assert_array_equal(np.dstack((np.asarray(colors), np.asarray(matte))), whole)
    assert 0 < whole[..., 3].mean() < 255


async def test_layers_are_jpeg_and_have_shadows_but_no_background(client: AsyncClient) -> None:
    plain = await client.render(PHOTO, content="layers")
    assert plain.format == "jpeg"
    shaded = await client.render(PHOTO, content="layers", shadow="drop")
    assert np.asarray(decode(shaded.matte)).sum() > np.asarray(decode(plain.matte)).sum()
    for wrong in ({"background": "white"}, {"preset": "ebay"}, {"format": "webp"}):
        with pytest.raises(InvalidRequestError, match="layers"):
            await client.render(PHOTO, content="layers", **wrong)  # type: ignore[arg-type]
    assert (await client.render(PHOTO)).matte == b""


async def test_a_picture_keeps_within_its_most_pixels(client: AsyncClient) -> None:
    with Image.open(BytesIO(PHOTO)) as image:
        width, height = image.size
    small = await client.render(PHOTO, max_pixels=1200)
    assert small.width_px * small.height_px <= 1200
    assert small.width_px / small.height_px == pytest.approx(width / height, rel=0.05)
    assert small.magnification < 1
    same = await client.render(PHOTO, max_pixels=width * height)
    assert (same.width_px, same.height_px, same.magnification) == (width, height, 1)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(LIMITS, max_pixels=250_000),
        Frame(LIMITS, crop=True, max_pixels=40_000),
        Frame(LIMITS, crop=True, margins=Margins(*[Length(px=30)] * 4), max_pixels=40_000),
        Frame(LIMITS, scale=0.5, max_pixels=100_000),
        Frame(LIMITS, aspect_ratio=1.0, max_pixels=100_000),
        Frame(LIMITS, 3000, 2000, max_pixels=1_000_000),
    ],
)
def test_a_reduced_frame_keeps_its_proportions_and_its_rules(frame: Frame) -> None:
    product = Box(300, 200, 700, 500)
    whole = place_in_frame(replace(frame, max_pixels=0), 1000, 800, product, product)
    small = place_in_frame(frame, 1000, 800, product, product)
    pixels = small.width_px * small.height_px
    assert 0.98 * frame.max_pixels <= pixels <= frame.max_pixels
    assert small.width_px / small.height_px == pytest.approx(
        whole.width_px / whole.height_px, rel=0.01
    )
    assert small.product.right <= small.width_px
    assert small.product.bottom <= small.height_px
    assert charged_pixels((1000, 800), (0, 0), frame, PictureFormat.JPEG) >= 800_000 + pixels


def test_most_pixels_out_of_range_are_refused() -> None:
    reader = OptionReader("matte", 64_000_000, {})
    with pytest.raises(InvalidOptionError, match=r"frame\.max_pixels is 255"):
        reader.read(pb.RenderRequest(frame=pb.Frame(max_pixels=255)))
    # More than the service allows anyway bounds nothing, and contradicts nothing.
    assert reader.read(pb.RenderRequest(frame=pb.Frame(max_pixels=2**32 - 1)))
