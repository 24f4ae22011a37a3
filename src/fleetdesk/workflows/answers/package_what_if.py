"""What other packages or prices would mean; nothing is sold by asking."""

from __future__ import annotations

from fleetdesk.outputs.tables.frames import many
from fleetdesk.outputs.tables.packages import trial_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Let the riders of today choose among the packages as the sheet Package trial has them."""
    from fleetdesk.workflows.package_trials import holders, on_trial

    settings = ask.settings
    # A sheet that says nothing is told of before riders are gathered, which takes a while.
    then = on_trial(settings)
    found = holders(ask.record, settings).trial(then, settings)
    figures = {change.name: change for change in found.figures}
    margin, moved = figures["Margin a month"], round(figures["Riders moved"].after)
    return Answer(
        sheets=trial_sheets(found, settings),
        headline=(
            f"Packages on trial: {many(moved, settings)} of {found.riders} riders would move, "
            f"margin {margin.difference:+,.2f} {settings.city.currency} a month "
            f"({margin.low:+,.2f} to {margin.high:+,.2f})."
        ),
        summary={"trial_margin": round(margin.difference, 2)},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return trial_sheets(None, settings)
