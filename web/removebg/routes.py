"""`POST /v1.0/removebg` and `GET /v1.0/account`."""

from starlette.responses import Response

from packshot import BackgroundPicture
from web.errors import invalid
from web.face import Call
from web.orders import Order, given, only_one, read_order
from web.parts import Form
from web.removebg.answers import write_account, write_shot
from web.removebg.parameters import PARAMETERS
from web.removebg.settle import settle
from web.uploads import decoded

_SOURCES = ("image_file", "image_file_b64", "image_url")
_BACKGROUNDS = ("bg_color", "bg_image_url", "bg_image_file")


async def remove_background(call: Call) -> Response:
    """Answer a request for a picture."""
    form = await call.form()
    only_one(_given(form, _BACKGROUNDS), "multiple_bg_sources", "Multiple background sources given")
    order = read_order(PARAMETERS, form.fields)
    for name in form.files.keys() - {"image_file", "bg_image_file"}:
        order.approximate(
            "file", f"a file {name[:40]!r} is no part of the contract; it was ignored"
        )
    photo = await read_source(call, form)
    await _read_background(call, form, order)
    settle(order)
    # Asked before the render: after it, nothing may fail that has been paid for.
    charged = int(await call.face.door.keeps_accounts())
    shot = await call.render(photo, order.options)
    as_json = "application/json" in call.request.headers.get("accept", "")
    return write_shot(shot, order, as_json=as_json, charged=charged)


async def tell_account(call: Call) -> Response:
    """Answer a request for the caller's account."""
    return write_account(await call.client.account())


async def read_source(call: Call, form: Form, names: tuple[str, ...] = _SOURCES) -> bytes:
    """Return the photo, from whichever source gives it.

    Raises:
        WebError: None does, several do, or it cannot be had.
    """
    sources = _given(form, names)
    only_one(sources, "multiple_sources", "Multiple image sources given")
    if not sources:
        raise invalid("missing_source", f"give one of {', '.join(names)}", title="No image given")
    if "image_file" in form.files:
        return form.files.pop("image_file")
    if text := given(form.fields, "image_file"):
        raise invalid(
            "invalid_image_file", f"image_file is a text of {len(text)} characters, no file"
        )
    if text := given(form.fields, "image_file_b64"):
        most = call.face.config.max_photo_bytes
        return await decoded("image_file_b64", form.fields.pop("image_file_b64"), most)
    return await call.face.fetcher.fetch("image_url", given(form.fields, "image_url"), call.place)


async def _read_background(call: Call, form: Form, order: Order) -> None:
    if "bg_image_file" in form.files:
        order.asked["background"] = BackgroundPicture(form.files.pop("bg_image_file"))
    elif text := given(form.fields, "bg_image_file"):
        raise invalid("invalid_bg_image_file", f"bg_image_file is a text of {len(text)} characters")
    elif url := given(form.fields, "bg_image_url"):
        data = await call.face.fetcher.fetch("bg_image_url", url, call.place)
        order.asked["background"] = BackgroundPicture(data)


def _given(form: Form, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in form.files or given(form.fields, name)]
