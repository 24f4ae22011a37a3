"""How long riders stay in a package, when they leave, and what makes them."""

from __future__ import annotations

from fleetdesk.outputs.tables.riders_retention import retention_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Follow all stays in a package up to now."""
    from fleetdesk.riders.retention import FEWEST_STAYS, retention
    from fleetdesk.workflows.rider_values import stays_of, values_of

    settings = ask.settings
    stays = stays_of(ask.record, ask.record.moment.as_of)
    ask.on_progress("Following stays", 0.3)
    found = retention(
        stays, settings.retention, settings.city.seed,
        fewest=max(FEWEST_STAYS, settings.riders.smallest_group),
    )  # fmt: skip
    ask.on_progress("Fitting lifetimes", 0.7)
    lifetimes = values_of(ask.record, settings).lifetimes
    whole = found.overall
    return Answer(
        sheets=retention_sheets(found, lifetimes, settings),
        headline=(
            f"Retention: of {whole.stays} stays in a package {whole.ended} ended; riders stay "
            f"{whole.mean_months:.1f} of the first {whole.months[-1]:.0f} months."
        ),
        summary={"stays": whole.stays, "stays_ended": whole.ended},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return retention_sheets(None, None, settings)
