"""Dashboards as Grafana reads them: JSON, made by Grafana's own foundation SDK."""

from typing import Any, Final

from grafana_foundation_sdk.builders import common, heatmap, prometheus, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.dashboards.panels import (
    INSTANCE,
    TEXT_VARIABLES,
    Dashboard,
    Kind,
    Panel,
    Place,
    Query,
    Row,
)

_TAG: Final = "packshot"
_SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


def as_json(dashboard: Dashboard) -> str:
    """Return a dashboard as the text of its file."""
    made = (
        builders.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.about)
        .tags([_TAG])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .readonly()
        .link(
            builders.DashboardLink("Packshot")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
    )
    for variable in _variables():
        made.with_variable(variable)
    for number, (what, place) in enumerate(dashboard.places(), 1):
        if isinstance(what, Row):
            row = builders.Row(what.question).grid_pos(_position(place)).id(number)
            made.with_row(row)
        else:
            made.with_panel(_panel(what, place, number))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _variables() -> list[Any]:
    instance = (
        builders.QueryVariable(INSTANCE)
        .label("gateway")
        .datasource(_SOURCE)
        .query('label_values(packshot_ready{job="gateway"}, instance)')
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(models.VariableOption(text="All", value="$__all", selected=True))
    )
    texts = [
        builders.TextBoxVariable(name).label(label).default_value(value)
        for name, (label, value) in TEXT_VARIABLES.items()
    ]
    return [builders.DatasourceVariable("datasource").type("prometheus"), instance, *texts]


def _panel(panel: Panel, place: Place, number: int) -> Any:
    builder = _BUILDERS[panel.kind](panel)
    builder.title(panel.title).description(panel.about).datasource(_SOURCE).id(number)
    builder.grid_pos(_position(place)).unit(panel.unit)
    if panel.thresholds:
        steps = [models.Threshold(each.value, each.color) for each in panel.thresholds]
        builder.thresholds(builders.ThresholdsConfig().steps(steps))
    if panel.most is not None:
        builder.max(panel.most)
    for name, color in panel.colors.items():
        fixed = {"mode": "fixed", "fixedColor": color}
        builder.override_by_name(name, [models.DynamicConfigValue("color", fixed)])
    for index, query in enumerate(panel.queries):
        builder.with_target(_target(query, panel.kind, "ABCDEF"[index]))
    return builder


def _stat(_panel: Panel) -> Any:
    return (
        stats.Panel()
        .graph_mode(BigValueGraphMode.AREA)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def _lines(_panel: Panel) -> Any:
    return (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(0)
        .min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
    )


def _stack(panel: Panel) -> Any:
    stacked: Any = _lines(panel)
    return stacked.fill_opacity(50).stacking(
        common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    )


def _heatmap(_panel: Panel) -> Any:
    # Prometheus's buckets are heights of a heat map already, though each holds those below it.
    return heatmap.Panel().calculate(calculate=False)


def _table(_panel: Panel) -> Any:
    return table.Panel()


_BUILDERS: Final = {
    Kind.STAT: _stat,
    Kind.LINES: _lines,
    Kind.STACK: _stack,
    Kind.HEATMAP: _heatmap,
    Kind.TABLE: _table,
}


def _target(query: Query, kind: Kind, ref_id: str) -> Any:
    target = prometheus.Dataquery().expr(query.expr).ref_id(ref_id).datasource(_SOURCE)
    if query.legend:
        target.legend_format(query.legend)
    if query.exemplars:
        target.exemplar(exemplar=True)
    if kind is Kind.TABLE:
        return target.format(PromQueryFormat.TABLE).instant()
    if kind is Kind.HEATMAP:
        return target.format(PromQueryFormat.HEATMAP).range()
    return target.range()


def _position(place: Place) -> models.GridPos:
    return models.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)
