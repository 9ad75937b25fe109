"""What the page calls: a render in the service's own words, answered with everything to show."""

from base64 import b64encode
from dataclasses import asdict
from typing import Any, Final, cast, get_args

from starlette.responses import JSONResponse, Response

from packshot import Packshot, Scene
from packshot._options import FormatName, SceneName, ShadowName
from web import values
from web.errors import invalid
from web.face import Call
from web.orders import Order, Parameter, Support, read_order

_MAX_SIDE: Final = 10_000
_SCENES: Final = get_args(SceneName)
_FORMATS: Final = get_args(FormatName)
_SHADOWS: Final = get_args(ShadowName)


def _background(text: str, order: Order) -> None:
    kind, colon, scene = text.partition(":")
    if colon and kind == "scene":
        order.options["background"] = Scene(cast("SceneName", values.word(scene, _SCENES)))
    elif text in {"transparent", "white", "blur"}:
        order.options["background"] = text
    else:
        order.options["background"] = values.color(text)[0]


def _preset(text: str, order: Order) -> None:
    order.options["preset"] = text[:64]


def _model(text: str, order: Order) -> None:
    order.options["model"] = text[:128]


def _square(text: str, order: Order) -> None:
    order.options["square"] = values.boolean(text)


def _crop(text: str, order: Order) -> None:
    order.options["crop"] = values.boolean(text)


def _size(text: str, order: Order) -> None:
    order.options["size"] = (values.whole(text, 16, _MAX_SIDE), None)


def _margin(text: str, order: Order) -> None:
    order.options["margin"] = values.lengths(text, 500, 5000)


def _shadow(text: str, order: Order) -> None:
    order.options["shadow"] = cast("ShadowName", values.word(text, _SHADOWS))


def _format(text: str, order: Order) -> None:
    order.options["format"] = cast("FormatName", values.word(text, _FORMATS))


_TEXT: Final = {"type": "string"}
_BOOLEAN: Final = {"type": "boolean", "default": False}
_H: Final = Support.HONOURED
PARAMETERS: Final = (
    Parameter("photo", {"type": "string", "format": "binary"}, _H, "the photo", is_file=True),
    Parameter(
        "background",
        _TEXT,
        _H,
        "`white`, `transparent`, `blur`, a colour, or `scene:` and a scene's name",
        _background,
    ),
    Parameter("preset", _TEXT, _H, "a marketplace's preset", _preset),
    Parameter("model", _TEXT, _H, "a model", _model),
    Parameter("square", _BOOLEAN, _H, "a square frame, the product in its middle", _square),
    Parameter("crop", _BOOLEAN, _H, "all around the product is cut off", _crop),
    Parameter(
        "size", {"type": "integer", "minimum": 16, "maximum": _MAX_SIDE}, _H, "width in px", _size
    ),
    Parameter("margin", _TEXT, _H, "1, 2 or 4 lengths in px or % of the product", _margin),
    Parameter("shadow", {**_TEXT, "enum": list(_SHADOWS)}, _H, "the product's shadow", _shadow),
    Parameter("format", {**_TEXT, "enum": list(_FORMATS)}, _H, "the file's format", _format),
)


async def render(call: Call) -> Response:
    """Answer a request of the page's for a packshot."""
    form = await call.form()
    if "photo" not in form.files:
        raise invalid("missing_source", "the form holds no file `photo`", title="No photo given")
    order = read_order(PARAMETERS, form.fields)
    # The page has one size for both: of a square it is the side.
    if order.options.get("square") and (size := order.options.get("size")):
        order.options["size"] = cast("tuple[int, None]", size)[0]
    return JSONResponse(_told(await call.render(form.files.pop("photo"), order.options), order))


async def choices(call: Call) -> Response:
    """Answer with what the page offers: presets, scenes, formats, and the upload's limit."""
    presets = await call.client.presets()
    return JSONResponse(
        {
            "presets": [{"name": preset.name, "summary": preset.summary} for preset in presets],
            "scenes": list(_SCENES),
            "formats": list(_FORMATS),
            "max_photo_bytes": call.face.config.max_photo_bytes,
        }
    )


def _told(shot: Packshot, order: Order) -> dict[str, Any]:
    return {
        "picture_b64": b64encode(shot.picture).decode(),
        "media_type": shot.media_type,
        "format": shot.format,
        "width_px": shot.width_px,
        "height_px": shot.height_px,
        "product": shot.product._asdict(),
        "magnification": shot.magnification,
        "model": shot.model,
        "confidence": shot.confidence,
        "cut_off": shot.cut_off._asdict(),
        "stages_s": shot.stages_s,
        "verdict": asdict(shot.verdict) if shot.verdict else None,
        "notes": [*order.notes, *shot.notes],
    }
