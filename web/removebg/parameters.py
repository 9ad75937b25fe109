"""remove.bg's parameters: each with its check, its mapping, and what documents say of it.

The schemas of `/openapi.json` and the table of `docs/http.md` are made of this one.
"""

from typing import Final

from web import values
from web.orders import Order, Parameter, Support
from web.removebg.roi import read_roi

_MEGA: Final = 1_000_000
# Each size's most pixels; None: what the format holds.
SIZES: Final = {
    "preview": 250_000,
    "small": 250_000,
    "regular": 250_000,
    "medium": 1_500_000,
    "hd": 4 * _MEGA,
    "4k": 25 * _MEGA,
    "full": 25 * _MEGA,
    "50MP": 50 * _MEGA,
    "auto": 25 * _MEGA,
}
# What a transparent PNG may have, whatever its size's name.
PNG_PIXELS: Final = 10 * _MEGA
TYPES: Final = (
    *("auto", "person", "product", "animal", "car", "car_interior", "car_part"),
    *("transportation", "graphic", "graphics", "other"),
)
_LEVELS: Final = ("none", "1", "2", "latest")
_FORMATS: Final = ("auto", "png", "jpg", "webp", "zip")
_SHADOWS: Final = {
    "none": "none",
    "drop": "drop",
    "3D": "contact",
    "car": "contact",
    "auto": "contact",
}
_LIKE_DROP: Final = {"none", "drop"}
_MAX_MARGIN_PERCENT, _MAX_MARGIN_PX = 50.0, 500
_OPAQUE: Final = 255

_BOOLEAN: Final = {"type": "boolean"}
_TEXT: Final = {"type": "string"}


def _enum(words: object, default: str) -> dict[str, object]:
    return {"type": "string", "enum": list(words), "default": default}  # type: ignore[call-overload]


def _size(text: str, order: Order) -> None:
    order.asked["size"] = values.word(text, SIZES)


def _type(text: str, order: Order) -> None:
    order.asked["type"] = values.word(text, TYPES)
    if order.asked["type"] != "auto":
        order.approximate("type", "the network cuts out whatever stands in front")


def _type_level(text: str, order: Order) -> None:
    order.asked["type_level"] = values.word(text, _LEVELS)


def _format(text: str, order: Order) -> None:
    order.asked["format"] = values.word("jpg" if text.lower() == "jpeg" else text, _FORMATS)


def _crop(text: str, order: Order) -> None:
    order.options["crop"] = values.boolean(text)


def _crop_margin(text: str, order: Order) -> None:
    order.asked["crop_margin"] = values.lengths(text, _MAX_MARGIN_PERCENT, _MAX_MARGIN_PX)


def _scale(text: str, order: Order) -> None:
    if text.lower() != "original":
        order.options["scale"] = values.percent(text, 10, 100) / 100


def _position(text: str, order: Order) -> None:
    order.asked["position"] = text.lower()
    if text.lower() == "original":
        return
    if text.lower() == "center":
        order.options["position"] = "center"
        return
    words = text.replace(",", " ").split()
    if len(words) not in {1, 2}:
        raise ValueError("allowed: original, center, or one or two percentages")
    x, y = (values.percent(each, 0, 100) for each in (words[0], words[-1]))
    order.options["position"] = (x, y)


def _channels(text: str, order: Order) -> None:
    order.asked["channels"] = values.word(text, ("rgba", "alpha"))


def _add_shadow(text: str, order: Order) -> None:
    order.asked["add_shadow"] = values.boolean(text)


def _shadow_type(text: str, order: Order) -> None:
    name = values.word(text, _SHADOWS)
    order.asked["shadow_type"] = _SHADOWS[name]
    if name not in _LIKE_DROP:
        order.approximate("shadow_type", f"{name} is a contact shadow where the product stands")


def _shadow_opacity(text: str, order: Order) -> None:
    order.asked["shadow_opacity"] = values.number(text.removesuffix("%"), 0, 100) / 100


def _shadow_method(text: str, order: Order) -> None:
    values.word(text, ("legacy", "latest"))
    order.approximate("shadow_method", "it has no effect; shadow_type says which shadow it is")


def _semitransparency(text: str, order: Order) -> None:
    if not values.boolean(text):
        order.approximate("semitransparency", "what the network sees through stays transparent")


def _bg_color(text: str, order: Order) -> None:
    color, opacity = values.color(text)
    order.asked["background"] = color if opacity else "transparent"
    if opacity not in {0, _OPAQUE}:
        order.approximate("bg_color", f"a colour of opacity {opacity} of 255 is laid opaque")


_SOURCE: Final = (
    "exactly one of `image_file`, `image_file_b64` and `image_url`; at most "
    "`PACKSHOT_WEB_MAX_PHOTO_BYTES`"
)
_FETCH: Final = (
    "refused unless `PACKSHOT_WEB_FETCH_URLS=yes`; then honoured, from public addresses or listed "
    "hosts alone"
)
_H, _A, _R = Support.HONOURED, Support.APPROXIMATED, Support.REFUSED

PARAMETERS: Final[tuple[Parameter, ...]] = (
    Parameter("image_file", {"type": "string", "format": "binary"}, _H, _SOURCE, is_file=True),
    Parameter("image_file_b64", _TEXT, _H, "as above; a `data:` URL's head is left off"),
    Parameter("image_url", {"type": "string", "format": "uri"}, _R, _FETCH),
    Parameter(
        "size",
        _enum(SIZES, "preview"),
        _H,
        "the picture's most pixels: `preview`, `small` and `regular` 0.25 megapixels, `medium` "
        "1.5, `hd` 4, `full`, `4k` and `auto` 25 (10 as a transparent PNG), `50MP` 50. The "
        "finished picture is measured, crop and margins included",
        _size,
    ),
    Parameter(
        "type",
        _enum(TYPES, "auto"),
        _A,
        "does not steer the cut: whatever stands in front is the foreground. `X-Type` repeats it, "
        "or says `other` for `auto`",
        _type,
    ),
    Parameter(
        "type_level",
        _enum(_LEVELS, "1"),
        _A,
        "`none` leaves `X-Type` away; the other levels are alike, as nothing is classified",
        _type_level,
    ),
    Parameter(
        "format",
        _enum(_FORMATS, "auto"),
        _H,
        "`auto`: PNG if transparent, else JPEG; `jpg` without a background is on white; `zip` "
        "holds `color.jpg` (the product's own colours) and `alpha.png`, and no background",
        _format,
    ),
    Parameter(
        "roi",
        {"type": "string", "default": "0% 0% 100% 100%"},
        _H,
        "`x1 y1 x2 y2` of the upright photo; each axis in px or in %. The network looks at this "
        "part and a margin of 20 %, and only what lies within is product",
        read_roi,
    ),
    Parameter(
        "crop", {**_BOOLEAN, "default": False}, _H, "all around the product is cut off", _crop
    ),
    Parameter(
        "crop_margin",
        {"type": "string", "default": "0"},
        _H,
        "1, 2 or 4 lengths, of at most 50% of the product or 500px of the finished picture; no "
        "effect without `crop`. A side on which the photo cuts the product off has no margin",
        _crop_margin,
    ),
    Parameter(
        "scale",
        {"type": "string", "default": "original"},
        _H,
        "10% to 100% of the picture along the tighter side, and the product centred; enlarged 2 "
        "times at most",
        _scale,
    ),
    Parameter(
        "position",
        {"type": "string", "default": "original"},
        _A,
        "`center`, one or two percentages; `original` beside `scale` or `crop` is the middle",
        _position,
    ),
    Parameter(
        "channels",
        _enum(("rgba", "alpha"), "rgba"),
        _H,
        "`alpha`: the matte as a grey PNG or JPEG; a background or shadow then has no effect",
        _channels,
    ),
    Parameter(
        "add_shadow",
        {**_BOOLEAN, "default": False},
        _H,
        "a contact shadow, unless `shadow_type` says another; for every product, not cars alone",
        _add_shadow,
    ),
    Parameter(
        "shadow_type",
        _enum(_SHADOWS, "none"),
        _A,
        "`drop` is one; `car`, `3D` and `auto` are a contact shadow",
        _shadow_type,
    ),
    Parameter(
        "shadow_opacity",
        {"type": "number", "minimum": 0, "maximum": 100},
        _H,
        "how dark the shadow is at its darkest, percent",
        _shadow_opacity,
    ),
    Parameter(
        "shadow_method",
        _enum(("legacy", "latest"), "latest"),
        _A,
        "no effect, as the contract itself has given it up",
        _shadow_method,
    ),
    Parameter(
        "semitransparency",
        {**_BOOLEAN, "default": True},
        _A,
        "`false` has no effect: what the network sees through stays transparent",
        _semitransparency,
    ),
    Parameter(
        "bg_color",
        _TEXT,
        _A,
        "3 or 6 hexadecimal digits and CSS names; of 4 or 8 digits, opacity 0 is transparent and "
        "any other is laid opaque",
        _bg_color,
    ),
    Parameter("bg_image_url", {"type": "string", "format": "uri"}, _R, _FETCH),
    Parameter(
        "bg_image_file",
        {"type": "string", "format": "binary"},
        _H,
        "covers the frame, centred; exactly one background may be given",
        is_file=True,
    ),
)
