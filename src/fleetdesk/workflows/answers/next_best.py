"""The next best action for each rider within the budget, and five questions about riders."""

from __future__ import annotations

from fleetdesk.errors import Problem, Severity
from fleetdesk.outputs.tables.frames import many
from fleetdesk.outputs.tables.next_best import next_best_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Join risk, value, segment, package and offer, and rank what pays."""
    from fleetdesk.riders.next_best_action import ActionRules, next_best
    from fleetdesk.workflows.prospects import prospects
    from fleetdesk.workflows.rider_questions import answers_to

    settings = ask.settings
    found = prospects(ask.record, settings)
    ask.on_progress("Ranking actions", 0.9)
    limits = settings.next_best
    # Who did not agree to be analysed personally gets no personal action.
    agreed = found.riders[found.riders["consent"].fillna(False).astype(bool)]
    actions = next_best(
        agreed.reset_index(drop=True),
        ActionRules(
            limits.budget, limits.least_gain, limits.uplift_error_pct,
            settings.package_advice.churn_response_pct, limits.months, limits.message_cost,
            settings.offer_tests.offer_cost,
        ),
    )  # fmt: skip
    paid = actions[actions["in_budget"].astype(bool)]
    notes = [
        Problem("Next best action", "", "", f"{note} So this part is missing", "", Severity.NOTE)
        for note in found.notes
    ]
    notes += [
        Problem("Next best action", "", "", note, "", Severity.NOTE) for note in found.value_notes
    ]
    return Answer(
        sheets=next_best_sheets(
            actions.assign(consent=True), answers_to(ask.record, found, settings), settings
        ),
        headline=(
            f"Next best action: {many(len(paid), settings)} of {len(agreed)} riders, expected gain "
            f"{paid['gain'].sum():,.2f} for {paid['cost'].sum():,.2f} {settings.city.currency}."
        ),
        notes=tuple(notes),
        summary={"next_best_gain": round(float(paid["gain"].sum()), 2)},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return next_best_sheets(None, (), settings)
