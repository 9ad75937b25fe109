"""Photoroom's `POST /v1/segment`, by remove.bg's means."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from web import values
from web.errors import WebError
from web.face import Call, write_error
from web.orders import Order, Parameter, Support, read_order
from web.removebg.answers import told
from web.removebg.parameters import PARAMETERS as REMOVEBG
from web.removebg.routes import read_source
from web.removebg.settle import settle

_SIZES: Final = {"preview": "preview", "medium": "medium", "hd": "hd", "full": "50MP"}
_SOURCES: Final = ("image_file", "image_file_b64")
_H, _A = Support.HONOURED, Support.APPROXIMATED


def _size(text: str, order: Order) -> None:
    order.asked["size"] = _SIZES[values.word(text, _SIZES)]


def _format(text: str, order: Order) -> None:
    order.asked["format"] = values.word(
        "jpg" if text.lower() == "jpeg" else text, ("png", "jpg", "webp")
    )


def _despill(text: str, order: Order) -> None:
    values.boolean(text)
    order.approximate("despill", "edges are always freed of the old background's colour")


def _shared(name: str) -> Parameter:
    return next(parameter for parameter in REMOVEBG if parameter.name == name)


PARAMETERS: Final = (
    Parameter("image_file", {"type": "string", "format": "binary"}, _H, "the photo", is_file=True),
    Parameter("image_file_b64", {"type": "string"}, _H, "the photo, in its stead, as Base64"),
    Parameter(
        "size",
        {"type": "string", "enum": list(_SIZES), "default": "full"},
        _A,
        "`preview` 0.25 megapixels, `medium` 1.5, `hd` 4, `full` 50 (10 as a transparent PNG); "
        "Photoroom's `full` is 36",
        _size,
    ),
    Parameter(
        "format",
        {"type": "string", "enum": ["png", "jpg", "webp"], "default": "png"},
        _H,
        "`jpg` without `bg_color` is on white",
        _format,
    ),
    _shared("channels"),
    _shared("bg_color"),
    _shared("crop"),
    Parameter(
        "despill",
        {"type": "boolean", "default": False},
        _A,
        "always on: edges are freed of the old background's colour",
        _despill,
    ),
)


async def segment(call: Call) -> Response:
    """Answer a request for a picture."""
    form = await call.form()
    order = read_order(PARAMETERS, form.fields)
    order.asked.setdefault("size", "50MP")
    order.asked.setdefault("format", "png")
    photo = await read_source(call, form, _SOURCES)
    settle(order)
    shot = await call.render(photo, order.options)
    return Response(shot.picture, 200, told(order, shot), shot.media_type)


def write_photoroom_error(error: WebError) -> Response:
    """Write an error as Photoroom does."""
    type_ = "invalid_request" if error.status == HTTPStatus.BAD_REQUEST else error.code
    cause = {"message": error.title, "detail": error.detail, "type": type_, "code": error.code}
    return write_error(error, {"error": cause})
