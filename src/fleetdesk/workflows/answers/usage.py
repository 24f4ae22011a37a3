"""How far each rider will ride in the days ahead."""

from __future__ import annotations

from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Foretell usage by the model that was best on months it had not seen."""
    from fleetdesk.outputs.tables.usage import usage_sheets
    from fleetdesk.workflows.rider_data import riders_of

    riders = riders_of(ask.record, ask.settings, forest=True)
    found = riders.forecast
    total = float(found.riders["km"].sum())
    best = next((score for score in found.scores if score.chosen), None)
    how = f", RMSE {best.rmse_km:.1f} km" if best else ""
    return Answer(
        sheets=usage_sheets(riders.now, found, ask.settings),
        headline=(
            f"Usage: {total:,.0f} km by {len(found.riders)} riders in the next "
            f"{ask.settings.usage.horizon_days} days ({found.model}{how})."
        ),
        summary={"usage_km": round(total, 1), "usage_model": found.model},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    from fleetdesk.outputs.tables.usage import usage_sheets

    return usage_sheets(None, None, settings)
