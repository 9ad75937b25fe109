"""The presets as Markdown tables, for the documentation."""

from collections.abc import Mapping

from imaging.presets.preset import Preset
from imaging.presets.rules import BoundsRule, Importance, Rule, RuleName, hex_color


def as_markdown(presets: Mapping[str, Preset]) -> str:
    """Return what the presets require, in bold, what they advise, and what they fill in."""
    return "\n".join([*_rules(presets), "", *_renderings(presets), "", *_sources(presets)])


def _rules(presets: Mapping[str, Preset]) -> list[str]:
    lines = [
        f"| rule | {' | '.join(f'`{name}`' for name in presets)} |",
        "|---" * (1 + len(presets)) + "|",
    ]
    asked = {rule.name for preset in presets.values() for rule in preset.rules}
    for name in RuleName:
        if name in asked:
            cells = (_cell(preset, name) for preset in presets.values())
            lines.append(f"| {name.value} | {' | '.join(cells)} |")
    return lines


def _cell(preset: Preset, name: RuleName) -> str:
    return "; ".join(_entry(rule) for rule in preset.rules if rule.name is name)


def _entry(rule: Rule) -> str:
    note = f" {rule.note}" if isinstance(rule, BoundsRule) and rule.note else ""
    text = f"{rule.limits}{note}"
    return f"**{text}**" if rule.importance is Importance.REQUIRED else text


def _renderings(presets: Mapping[str, Preset]) -> list[str]:
    lines = [
        "| preset | background | frame | product | enlarged | file |",
        "|---|---|---|---|---|---|",
    ]
    for preset in presets.values():
        how = preset.rendering
        enlarged = "no" if how.max_upscale == 1 else f"up to {how.max_upscale:g} times"
        lines.append(
            f"| `{preset.name}` | {hex_color(how.background)} "
            f"| {how.side_px} px, {how.aspect_ratio:g}:1 | {100 * how.scale:g} % | {enlarged} "
            f"| {how.picture_format.value}, quality {how.quality} |"
        )
    return lines


def _sources(presets: Mapping[str, Preset]) -> list[str]:
    return [
        f"- `{preset.name}`: [{preset.summary.rstrip('.')}]({preset.source}), "
        f"compared with the page: {preset.checked_on or 'not yet'}"
        for preset in presets.values()
    ]
