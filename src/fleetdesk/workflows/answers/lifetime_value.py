"""What riders are still worth, with and without a package."""

from __future__ import annotations

from fleetdesk.outputs.tables.riders_value import value_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

_PURPOSE = "Tells how long riders stay or how often they come back, and what that is worth."
_LIMITS = (
    "Beyond the months that were seen it follows a curve that fits what was seen. It takes today's "
    "spend and margin to go on. A single rider's life may go either way: it is for groups, and for "
    "weighing what an action may cost. Riders without a package are valued over no more months "
    "than the records reach back: set no such value beside one over other months. Where the note "
    "says that it cannot be told how they are lost, their values are upper limits."
)


def answer(ask: Ask) -> Answer:
    """Value today's riders and keep the models."""
    import numpy as np

    from fleetdesk.errors import NotEnoughData
    from fleetdesk.riders.lifetime_value import months_foretold
    from fleetdesk.workflows.kept_models import model_of_run
    from fleetdesk.workflows.rider_values import values_of

    settings = ask.settings
    ask.on_progress("Valuing riders", 0.2)
    found = values_of(ask.record, settings)
    known = found.riders[found.riders["value"].notna()]
    if known.empty:
        raise NotEnoughData(
            "No rider's value can be told",
            found=" ".join(found.notes),
            fix="Import older subscriptions and trips",
        )
    parts = {"lifetimes": found.lifetimes, "often": found.often, "much": found.much}
    sheet, often = settings.lifetime_value, found.often
    metrics = {
        "concordance": found.lifetimes.concordance if found.lifetimes else None,
        "bg_nbd_log_likelihood": often.log_likelihood if often else None,
        "likelihood_ratio_of_being_lost": often.loss_ratio if often else None,
        "months_counted_without_package": months_foretold(often, sheet) if often else None,
    }
    note = (
        f"Margin {sheet.margin_pct:g} % of what riders pay, {sheet.discount_pct:g} % a year, "
        f"{sheet.horizon_months} months. {' '.join(found.notes)}"
    ).strip()
    total, mean = float(known["value"].sum()), float(np.mean(known["value"]))
    money, told = settings.city.currency, f"; {found.reach}" if found.reach else ""
    return Answer(
        sheets=value_sheets(found.riders, note, settings),
        headline=(
            f"Lifetime value: {len(known)} riders, {mean:,.2f} {money} each and {total:,.2f} "
            f"{money} together{told}."
        ),
        summary={"riders_valued": len(known), "mean_value": round(mean, 2)},
        files=model_of_run(
            ask, "lifetime_value", {name: part for name, part in parts.items() if part},
            found.riders, ("monthly_spend", "tenure_months"), metrics, note, (_PURPOSE, _LIMITS),
        ),
    )  # fmt: skip


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return value_sheets(None, "", settings)
