"""What a request says of shadow, reflection and light."""

from typing import Final

from gateway.rpc.requests.checks import one_of, within
from imaging.compose.composition import DEFAULT_LIGHT_ANGLE_DEG, ShadowKind, Staging
from packshot.v1 import packshot_pb2 as pb

_STEEPEST_DEG: Final = 80.0

_SHADOWS: Final[dict[int, ShadowKind | None]] = {
    pb.SHADOW_KIND_UNSPECIFIED: None,
    pb.SHADOW_KIND_NONE: ShadowKind.NONE,
    pb.SHADOW_KIND_CONTACT: ShadowKind.CONTACT,
    pb.SHADOW_KIND_DROP: ShadowKind.DROP,
}


def read_staging(staging: pb.Staging) -> Staging:
    """Read how the product sits before its background.

    Raises:
        InvalidOptionError: An option is unknown or out of range.
    """
    angle_deg = staging.light_angle_deg
    if not staging.HasField("light_angle_deg"):
        angle_deg = DEFAULT_LIGHT_ANGLE_DEG
    return Staging(
        shadow=one_of("staging.shadow", staging.shadow, _SHADOWS),
        shadow_opacity=_share(staging, "shadow_opacity"),
        light_angle_deg=within("staging.light_angle_deg", angle_deg, -_STEEPEST_DEG, _STEEPEST_DEG),
        reflection=_share(staging, "reflection"),
        color_match=within("staging.color_match", staging.color_match, 0.0, 1.0),
    )


def _share(staging: pb.Staging, name: str) -> float | None:
    if not staging.HasField(name):  # type: ignore[arg-type]  # a name of a field that can be unset
        return None
    return within(f"staging.{name}", float(getattr(staging, name)), 0.0, 1.0)
