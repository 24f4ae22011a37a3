"""Names of features as people read them."""

from __future__ import annotations

_UNITS = {
    "_pct": " (%)", "_kmh": " (km/h)", "_min": " (min)", "_30d": " in 30 days",
    "_60d": " in 60 days", "_90d": " in 90 days",
}  # fmt: skip


def in_words(feature: str) -> str:
    """`growth_pct` as `growth (%)`, `complaints_30d` as `complaints in 30 days`."""
    for ending, unit in _UNITS.items():
        if feature.endswith(ending):
            feature = f"{feature.removesuffix(ending)}{unit}"
    return feature.replace("_", " ")
