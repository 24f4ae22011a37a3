"""The sheets about segments: who they are, how sure they are, RFM, sub-segments, who is unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.charts_riders import dendrogram
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import hidden_note, listed, many, rows_of, without_small
from fleetdesk.outputs.tables.riders import (
    COUNT,
    MONEY,
    NOT_ASKED,
    NUMBER,
    PERCENT,
    TEXT,
    WRAPPED,
    column,
    number,
    sheet,
    words,
)  # fmt: skip
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import Image, ResultSheet

if TYPE_CHECKING:
    import pandas as pd

    from fleetdesk.riders.hierarchy import Hierarchy
    from fleetdesk.riders.rfm import Rfm
    from fleetdesk.riders.segments import Segmentation
    from fleetdesk.riders.unusual import Unusual

_SHOWN = (
    "daily_km", "rides_per_week", "swaps_per_week", "km_per_trip", "avg_speed_kmh", "peak_pct",
    "night_pct", "weekend_index",
)  # fmt: skip


@dataclass(frozen=True)
class Grouped:
    """All that was found of the riders in `riders`, by their places."""

    riders: pd.DataFrame
    found: Segmentation
    rfm: Rfm
    tree: Hierarchy
    unusual: tuple[Unusual, ...]


def segment_sheets(told: Grouped | None, settings: Settings) -> tuple[ResultSheet, ...]:
    """Segments, their number, RFM, sub-segments, unusual riders, and riders. None = not asked."""
    return (
        _segments(told, settings),
        _numbers(told, settings),
        _rfm(told, settings),
        _sub_segments(told, settings),
        _unusual(told, settings),
        _by_rider(told, settings),
    )


def _segments(told: Grouped | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    rows = []
    if told is not None:
        spend = told.riders["monthly_spend"].groupby(told.found.labels).mean()
        table = pd.DataFrame(
            [
                {"name": s.name, "riders": s.riders, "share": 100.0 * s.share,
                 "spend": spend.get(i), "character": s.character}
                | {name: s.centre.get(name) for name in _SHOWN}
                for i, s in enumerate(told.found.segments)
            ]
        )  # fmt: skip
        figures = ("share", "spend", "character", *_SHOWN)
        table = without_small(table, "riders", figures, settings)
        rows = rows_of(table, ("name", "riders", *figures))
    name, riders = "Segment", "Riders"
    return sheet(
        "Rider segments", "Who the riders are",
        told.found.reason + "." if told else NOT_ASKED,
        (
            column(name, TEXT, 18), column(riders, COUNT, 9, "Empty = too few to show."),
            column("Share (%)", PERCENT, 9),
            column(f"Pays a month ({settings.city.currency})", MONEY, 13),
            column("What is special", WRAPPED, 34, "Against all riders."),
            *(column(words(shown), NUMBER, 11, "Median.") for shown in _SHOWN),
        ),
        rows, settings, key=name,
        charts=(
            Chart(
                ChartKind.COLUMN, "Riders by segment", name, riders, "", name,
                (Series(riders, palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _numbers(told: Grouped | None, settings: Settings) -> ResultSheet:
    rows = []
    if told is not None:
        chosen = len(told.found.segments)
        rows = [
            (
                t.segments, number(t.silhouette), number(t.davies_bouldin),
                number(t.calinski_harabasz, 1), number(t.gap), number(t.gap_error),
                number(t.bic, 1), number(t.inertia, 1), number(t.stability),
                number(t.stability_sd), number(100 * t.smallest_share, 1),
                ", ".join(name for name, k in told.found.votes.items() if k == t.segments),
                "yes" if t.segments == chosen else "",
            )
            for t in told.found.tried
        ]  # fmt: skip
    name = "Segments"
    return sheet(
        "Segment numbers", "How many segments there are",
        "More is better, but for Davies-Bouldin, BIC and inertia. Silhouette alone prefers few."
        if told else NOT_ASKED,
        (
            column(name, COUNT, 10), column("Silhouette"), column("Davies-Bouldin"),
            column("Calinski-Harabasz"), column("Gap"), column("Gap, standard error"),
            column("BIC of mixture"), column("Inertia"),
            column("Stability", help_="Mean adjusted Rand index over riders drawn anew."),
            column("Stability, SD"), column("Smallest (%)", PERCENT),
            column("Spoken for by", WRAPPED, 26), column("Chosen", TEXT, 9),
        ),
        rows, settings, key=name,
        charts=(
            Chart(
                ChartKind.LINE, "Elbow", name, "Inertia", "", name,
                (Series("Inertia", palette().category(0)),),
            ),
            Chart(
                ChartKind.LINE, "Separation and stability", name, "Score", "", name,
                (Series("Silhouette", palette().category(0)),
                 Series("Stability", palette().category(1)),
                 Series("Gap", palette().category(2))),
            ),
        ),
    )  # fmt: skip


def _rfm(told: Grouped | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    from fleetdesk.riders.rfm import RULES, SEGMENTS

    rows = []
    if told is not None:
        rules = dict(RULES)
        frame = told.riders.assign(rfm=told.rfm.labels)
        table = pd.DataFrame(
            [
                {"name": name, "rule": rules[name], "riders": len(mine),
                 "share": 100.0 * len(mine) / max(1, len(frame)),
                 "days": mine["days_since_last_trip"].quantile(0.5),
                 "rides": mine["rides_per_week"].mean(), "spend": mine["monthly_spend"].mean()}
                for i, name in enumerate(SEGMENTS)
                for mine in [frame[frame["rfm"] == i]]
            ]
        )  # fmt: skip
        figures = ("share", "days", "rides", "spend")
        table = without_small(table, "riders", figures, settings)
        rows = rows_of(table, ("name", "rule", "riders", *figures))
    name, riders = "RFM segment", "Riders"
    return sheet(
        "RFM", "How lately, how often and for how much they ride",
        "Scores 1 to 5 by fifths of riders; the first rule that holds." if told else NOT_ASKED,
        (
            column(name, TEXT, 20), column("Rule", WRAPPED, 40),
            column(riders, COUNT, 9, "Empty = too few to show."), column("Share (%)", PERCENT, 9),
            column("Days since last ride, median"), column("Rides a week"),
            column(f"Pays a month ({settings.city.currency})", MONEY),
        ),
        rows, settings, key=name,
        charts=(
            Chart(
                ChartKind.BAR, "Riders by RFM segment", name, riders, "", name,
                (Series(riders, palette().category(1)),),
            ),
        ),
    )  # fmt: skip


def _sub_segments(told: Grouped | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    rows, images = [], tuple[Image, ...]()
    if told is not None:
        picture = dendrogram(told.tree)
        images = (picture,) if picture else ()
        frame = told.riders
        table = pd.DataFrame(
            [
                {"name": f"{told.found.names[sub.tier]} {sub.number + 1}",
                 "tier": told.found.names[sub.tier], "riders": sub.riders,
                 "apart": sub.silhouette or None}
                | {shown: pd.to_numeric(frame.loc[mine, shown]).quantile(0.5) for shown in _SHOWN}
                for sub in told.tree.sub_segments
                for mine in [
                    (told.found.labels == sub.tier) & (told.tree.labels == sub.number)
                ]
            ]
        )  # fmt: skip
        figures = ("apart", *_SHOWN)
        table = without_small(table, "riders", figures, settings)
        rows = rows_of(table, ("name", "tier", "riders", *figures))
    name = "Sub-segment"
    return sheet(
        "Sub-segments", "Groups within the segments",
        "By Ward's method; a segment that does not fall apart is one group."
        if told else NOT_ASKED,
        (
            column(name, TEXT, 20), column("Segment", TEXT, 16),
            column("Riders", COUNT, 9, "Empty = too few to show."),
            column("Silhouette", help_="How far apart the groups of a segment are."),
            *(column(words(shown), NUMBER, 11, "Median.") for shown in _SHOWN),
        ),
        rows, settings, key=name, images=images,
    )  # fmt: skip


def _unusual(told: Grouped | None, settings: Settings) -> ResultSheet:
    import pandas as pd

    rows, note = [], NOT_ASKED
    if told is not None:
        kinds = pd.Series([one.kind.value for one in told.unusual]).value_counts()
        summed = ", ".join(f"{many(count, settings)} {kind}" for kind, count in kinds.items())
        summed = summed or "nobody"
        note = f"Outside all groups: {summed}. {hidden_note(settings)}".strip()
        places = [one.row for one in told.unusual]
        table = told.riders.iloc[places].assign(
            kind=[one.kind.value for one in told.unusual],
            distance=[round(one.distance, 2) for one in told.unusual],
            both=["yes" if one.both else "" for one in told.unusual],
            reason=[one.reason for one in told.unusual],
        )
        shown = ("rider_id", "kind", "reason", "distance", "both", "daily_km", "monthly_spend")
        rows = rows_of(listed(table, settings), shown)
    return sheet(
        "Unusual riders", "Who is like no group", note,
        (
            column("Rider", TEXT, 18), column("Kind", TEXT, 14), column("Why", WRAPPED, 44),
            column("Distance", help_="From the nearest riders, against what is usual."),
            column("DBSCAN agrees", TEXT, 10), column("Km a day"),
            column(f"Pays a month ({settings.city.currency})", MONEY),
        ),
        rows, settings, key="Rider",
    )  # fmt: skip


def _by_rider(told: Grouped | None, settings: Settings) -> ResultSheet:
    rows, note = [], NOT_ASKED
    if told is not None:
        note = hidden_note(settings) or "Riders who agreed to be listed."
        subs = zip(told.found.labels, told.tree.labels, strict=True)
        table = told.riders.assign(
            segment=[told.found.names[label] for label in told.found.labels],
            sub=[f"{told.found.names[tier]} {number + 1}" for tier, number in subs],
            rfm=told.rfm.names,
            scores=[
                f"{r}{f}{m}"
                for r, f, m in zip(
                    told.rfm.recency, told.rfm.frequency, told.rfm.monetary, strict=True
                )
            ],
        )
        shown = ("rider_id", "segment", "sub", "rfm", "scores", "package", "daily_km")
        rows = rows_of(listed(table, settings), shown)
    return sheet(
        "Riders by segment", "Which segment each rider is in", note,
        (
            column("Rider", TEXT, 18), column("Segment", TEXT, 16), column("Sub-segment", TEXT, 18),
            column("RFM segment", TEXT, 18), column("RFM scores", TEXT, 11),
            column("Package", TEXT, 18), column("Km a day"),
        ),
        rows, settings, key="Rider",
    )  # fmt: skip
