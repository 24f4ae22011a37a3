"""Who stays, by month of sign-up and channel."""

from __future__ import annotations

from fleetdesk.outputs.tables.cohorts import cohort_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Count riders by month of sign-up and age, in months that are over."""
    from fleetdesk.workflows.cohort_data import cohorts_of

    found = cohorts_of(ask.record, ask.settings)
    first = found.cells[found.cells["age_months"] == 1]
    riders = int(first["riders"].sum())
    kept = "too few riders have been followed into the month after their sign-up"
    if riders >= ask.settings.riders.smallest_group:
        share = 100.0 * first["active"].sum() / riders
        kept = f"{share:.0f} % of riders rode in the month after their sign-up"
    return Answer(
        sheets=cohort_sheets(found, ask.settings),
        headline=(f"Cohorts: {kept} ({found.cells['cohort'].nunique()} cohorts)."),
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return cohort_sheets(None, settings)
