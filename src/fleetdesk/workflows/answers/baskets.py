"""Which services go together."""

from __future__ import annotations

from fleetdesk.outputs.tables.baskets import basket_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Find services that riders use together more often than chance explains."""
    from fleetdesk.riders.baskets import find_rules
    from fleetdesk.workflows.service_data import services_used

    sets = ask.settings.service_sets
    found = find_rules(
        services_used(ask.record, ask.settings),
        min_support=sets.min_support_pct / 100.0,
        min_confidence=sets.min_confidence_pct / 100.0,
        most_q=sets.false_pct / 100.0,
    )
    return Answer(
        sheets=basket_sheets(found, ask.settings),
        headline=(
            f"Services: {len(found.rules)} rules among {len(found.sets)} sets that "
            f"{found.baskets} riders use."
        ),
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return basket_sheets(None, settings)
