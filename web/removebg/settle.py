"""What remove.bg's parameters mean together, once all are read."""

from web.errors import invalid, invalid_parameter
from web.orders import Order
from web.removebg.parameters import PNG_PIXELS, SIZES


def settle(order: Order) -> None:
    """Decide what the parameters decide together: file, background, shadow, frame, pixels.

    Raises:
        WebError: They contradict each other.
    """
    wanted = order.asked.get("format", "auto")
    _settle_shadow(order)
    _settle_frame(order)
    if order.asked.get("channels") == "alpha":
        _settle_mask(order, wanted)
    elif wanted == "zip":
        _settle_layers(order)
    else:
        _settle_picture(order, wanted)
    transparent = order.options.get("background") == "transparent"
    pixels = SIZES[order.asked.get("size", "preview")]
    if transparent and order.options.get("format") == "png":
        pixels = min(pixels, PNG_PIXELS)
    order.options["max_pixels"] = pixels


def has_background(order: Order) -> bool:
    """Tell whether a background was asked for that is seen."""
    return bool(order.asked.get("background", "transparent") != "transparent")


def _settle_shadow(order: Order) -> None:
    by_default = "contact" if order.asked.get("add_shadow") else "none"
    shadow = order.asked.get("shadow_type", by_default)
    if shadow != "none":
        order.options["shadow"] = shadow
        if "shadow_opacity" in order.asked:
            order.options["shadow_opacity"] = order.asked["shadow_opacity"]
    elif order.asked.get("add_shadow"):
        raise invalid_parameter("shadow_type", "add_shadow is true, but shadow_type is none")
    elif "shadow_opacity" in order.asked:
        order.approximate("shadow_opacity", "no effect without a shadow")


def _settle_frame(order: Order) -> None:
    margin = order.asked.get("crop_margin")
    if margin and order.options.get("crop"):
        order.options["margin"] = margin
    elif margin:
        order.approximate("crop_margin", "no effect without crop")
    position = order.asked.get("position")
    if position is None:
        return
    if order.options.get("crop"):
        order.options.pop("position", None)
        if position != "original":
            order.approximate("position", "no effect with crop")
    elif "scale" not in order.options and position != "original":
        order.options.pop("position", None)
        order.approximate("position", "no effect without scale: the product stays where it is")
    elif "scale" in order.options and position == "original":
        order.approximate("position", "with a scale the product is in the middle")


def _settle_mask(order: Order, wanted: str) -> None:
    if wanted == "zip":
        raise invalid(
            "invalid_format", "format is zip, which holds the alpha anyway: leave channels out"
        )
    for name in ("shadow", "shadow_opacity"):
        if order.options.pop(name, None) is not None:  # type: ignore[misc]
            order.approximate("add_shadow", "no effect with channels=alpha")
    if "background" in order.asked:
        order.approximate(
            "bg_color" if isinstance(order.asked["background"], str) else "bg_image",
            "no effect with channels=alpha",
        )
    order.options["content"] = "mask"
    order.options["format"] = {"jpg": "jpeg", "webp": "webp"}.get(wanted, "png")  # type: ignore[typeddict-item]


def _settle_layers(order: Order) -> None:
    if has_background(order):
        raise invalid(
            "invalid_format",
            "format is zip, which holds the product's colours and its alpha, and no background: "
            "leave the background out, or ask for png",
        )
    order.options["content"] = "layers"
    order.options["format"] = "jpeg"


def _settle_picture(order: Order, wanted: str) -> None:
    background = order.asked.get("background", "transparent")
    if wanted == "jpg" and background == "transparent":
        background = "white"
    order.options["background"] = background
    if wanted == "auto":
        wanted = "png" if background == "transparent" else "jpg"
    order.options["format"] = "jpeg" if wanted == "jpg" else wanted  # type: ignore[typeddict-item]
