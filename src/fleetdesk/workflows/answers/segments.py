"""Who the riders are: segments, RFM, groups within groups, and riders like no group."""

from __future__ import annotations

from fleetdesk.outputs.tables.riders_segments import Grouped, segment_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

_PURPOSE = "Places riders in segments by what they do."
_LIMITS = (
    "When the stability on the sheet Segment numbers is below 0.6, or riders have changed since: "
    "segments are a way of talking about riders, not kinds that exist."
)


def answer(ask: Ask) -> Answer:
    """Group the riders of today and keep what places new ones."""
    import pandas as pd

    from fleetdesk.outputs.tables.frames import too_few
    from fleetdesk.riders.hierarchy import hierarchy
    from fleetdesk.riders.rfm import rfm
    from fleetdesk.riders.unusual import unusual
    from fleetdesk.workflows.kept_models import model_of_run
    from fleetdesk.workflows.rider_data import riders_now
    from fleetdesk.workflows.rider_models import segments_of

    settings, seed = ask.settings, ask.settings.city.seed
    riders = riders_now(ask.record, settings)
    ask.on_progress("Grouping riders", 0.3)
    found = segments_of(ask.record, settings)
    ask.on_progress("Groups within groups", 0.7)
    matrix = found.model.scale.matrix(riders)
    told = Grouped(
        riders=riders,
        found=found,
        rfm=rfm(riders),
        tree=hierarchy(matrix, found.labels, settings.segments.sub_segments, seed),
        unusual=unusual(riders, found.model.scale, settings.segments.unusual_pct, seed),
    )
    chosen = next((t for t in found.tried if t.segments == len(found.segments)), None)
    metrics = {
        "silhouette": chosen.silhouette if chosen else None,
        "stability": chosen.stability if chosen else None,
    }
    few = too_few(pd.Series([s.riders for s in found.segments]), settings)
    sizes = ", ".join(
        f"{100 * s.share:.0f} % {s.name}"
        for s, hide in zip(found.segments, few, strict=True)
        if not hide
    )
    sizes = sizes or "segments too small to show"
    return Answer(
        sheets=segment_sheets(told, settings),
        headline=f"Segments: {len(riders)} riders, {sizes}.",
        summary={"segments": len(found.segments), "riders": len(riders)},
        files=model_of_run(
            ask, "segments", {"segments": found.model}, riders, found.model.scale.columns,
            metrics, found.reason, (_PURPOSE, _LIMITS),
        ),
    )  # fmt: skip


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return segment_sheets(None, settings)
