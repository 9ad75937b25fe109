"""Accounts: credits, keys, the database behind them, and the certificate."""

from typing import Final

from monitoring.dashboards.panels import (
    Dashboard,
    G,
    Query,
    Row,
    Unit,
    bad_above,
    bad_below,
    lines,
    stack,
    stat,
)

_KEYS: Final = 'reason=~"API_KEY_.*|RATE_LIMITED|OUT_OF_CREDITS|ACCOUNTS_UNAVAILABLE"'
_DATABASE: Final = f"rate(packshot_accounts_duration_seconds_bucket{{{G}}}[$__rate_interval])"

ACCOUNTS: Final = Dashboard(
    "packshot-accounts",
    "Packshot: accounts",
    "Credits, keys, the database behind them, and the certificate.",
    (
        Row(
            "What is sold?",
            (
                stat(
                    "Credits spent",
                    "In the range shown: one for each render delivered.",
                    Unit.COUNT,
                    f'sum(increase(packshot_credits_total{{{G}, outcome="spent"}}[$__range]))',
                ),
                stat(
                    "Credits expired",
                    "In the range shown: held by a gateway that was killed, and given back. Many "
                    "mean many kills.",
                    Unit.COUNT,
                    f'sum(increase(packshot_credits_total{{{G}, outcome="expired"}}[$__range]))',
                    *bad_above(10, 100),
                ),
                stack(
                    "Credits by outcome",
                    "Spent for a picture, returned for an error, refunded for a reply that was not "
                    "sent, expired with a gateway; repeated ones took none.",
                    Unit.PER_S,
                    Query(
                        f"sum by (outcome) (rate(packshot_credits_total{{{G}}}[$__rate_interval]))",
                        "{{outcome}}",
                    ),
                ),
                stack(
                    "Refused for a key's sake",
                    "Calls without a key, with a wrong or revoked one, too many, or unpaid.",
                    Unit.PER_S,
                    Query(
                        f"sum by (reason) (rate(packshot_errors_total{{{G}, {_KEYS}}}"
                        "[$__rate_interval]))",
                        "{{reason}}",
                    ),
                ),
            ),
        ),
        Row(
            "Does the database keep up?",
            (
                lines(
                    "95th percentile by operation",
                    "Waiting included. A render waits for hold and settle; seconds mean that the "
                    "database is away.",
                    Unit.SECONDS,
                    Query(
                        f"histogram_quantile(0.95, sum by (le, operation) ({_DATABASE}))",
                        "{{operation}}",
                    ),
                    width=12,
                ),
                lines(
                    "Operations",
                    "Asked of the database.",
                    Unit.PER_S,
                    Query(
                        "sum by (operation) (rate(packshot_accounts_duration_seconds_count"
                        f"{{{G}}}[$__rate_interval]))",
                        "{{operation}}",
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Is the line safe?",
            (
                stat(
                    "Certificate lasts",
                    "Until the soonest certificate expires; endless without TLS.",
                    Unit.SECONDS,
                    f"min(packshot_tls_certificate_expiry_timestamp_seconds{{{G}}}) - time()",
                    *bad_below(2 * 86400, 14 * 86400),
                ),
                lines(
                    "Certificates read",
                    "New certificates that are served, and such as could not be read.",
                    Unit.COUNT,
                    Query(
                        "sum by (outcome) (increase(packshot_tls_certificate_loads_total"
                        f"{{{G}}}[$__rate_interval]))",
                        "{{outcome}}",
                    ),
                ),
            ),
        ),
    ),
)
