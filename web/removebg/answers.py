"""A packshot in remove.bg's words: bytes or JSON, and the headers that tell of it."""

from base64 import b64encode
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from starlette.responses import JSONResponse, Response

from packshot import Account, Packshot
from web.errors import WebError
from web.face import write_error
from web.orders import Order

_MAX_NOTES = 1000
# A ZIP's entries have a time, and no earlier one.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_removebg_error(error: WebError) -> Response:
    """Write an error as the contract has it."""
    cause = {"title": error.title, "code": error.code, "detail": error.detail}
    return write_error(error, {"errors": [cause]})


def write_shot(shot: Packshot, order: Order, *, as_json: bool, charged: int) -> Response:
    """Write a packshot as the contract has it.

    Args:
        shot: The packshot.
        order: What was ordered.
        as_json: Whether the file comes as Base64 in JSON.
        charged: Credits that it cost.
    """
    box = shot.product
    foreground = {
        "top": box.top,
        "left": box.left,
        "width": box.right - box.left,
        "height": box.bottom - box.top,
    }
    headers = {
        "X-Width": str(shot.width_px),
        "X-Height": str(shot.height_px),
        "X-Credits-Charged": str(charged),
        **{f"X-Foreground-{name.title()}": str(value) for name, value in foreground.items()},
        **told(order, shot),
    }
    if order.asked.get("type_level") != "none":
        kind = order.asked.get("type", "auto")
        headers["X-Type"] = "other" if kind == "auto" else kind
    content, media_type = shot.picture, shot.media_type
    if shot.matte:
        content, media_type = zipped(shot), "application/zip"
        headers["Content-Disposition"] = 'attachment; filename="no-bg.zip"'
    if not as_json:
        return Response(content, 200, headers, media_type)
    headers.pop("Content-Disposition", None)
    data = {
        "result_b64": b64encode(content).decode(),
        **{f"foreground_{name}": value for name, value in foreground.items()},
    }
    return JSONResponse({"data": data}, 200, headers)


def told(order: Order, shot: Packshot) -> dict[str, str]:
    """Return the headers that name what was not followed to the letter."""
    notes = [*order.notes, *shot.notes]
    headers = {}
    if order.approximated:
        headers["X-Packshot-Approximated"] = ", ".join(dict.fromkeys(order.approximated))
    if notes:
        text = " | ".join(notes)[:_MAX_NOTES]
        headers["X-Packshot-Notes"] = text.encode("ascii", "replace").decode()
    return headers


def zipped(shot: Packshot) -> bytes:
    """Put the two files of layers into a ZIP; both are compressed already."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.writestr(ZipInfo("color.jpg", _EPOCH), shot.picture)
        archive.writestr(ZipInfo("alpha.png", _EPOCH), shot.matte)
    return buffer.getvalue()


def write_account(account: Account) -> Response:
    """Write an account as the contract has it."""
    credits_left = float(account.credits_left)
    attributes = {
        "credits": {
            "total": credits_left,
            "subscription": 0.0,
            "payg": credits_left,
            "enterprise": 0.0,
        },
        "api": {"free_calls": 0, "sizes": "all"},
    }
    headers = {}
    if account.rate_limit_per_s:
        headers["X-RateLimit-Limit"] = f"{account.rate_limit_per_s * 60:.0f}"
    return JSONResponse({"data": {"attributes": attributes}}, 200, headers)
