"""Which batteries will be worn when, and what to order."""

from __future__ import annotations

from fleetdesk.errors import NotEnoughData
from fleetdesk.outputs.tables.batteries import battery_health_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Follow every battery's checks to the health at which it is replaced."""
    from fleetdesk.features.calendar import MONTH_D, moment
    from fleetdesk.fleet.battery_health import replacement_plan
    from fleetdesk.fleet.battery_lives import learnt_outlook

    settings, as_of = ask.settings, ask.record.moment.as_of
    checks = ask.record.tables["battery_checks"]
    rows = checks.filter(checks.checked_at <= moment(as_of)).to_pyarrow().to_pandas()
    if rows.empty:
        raise NotEnoughData(
            "No battery was checked yet",
            found="no rows in the table battery_checks",
            fix="Import what the battery management or the workshop measured: battery_id, "
            "checked_at, health_pct",
        )
    first = rows.groupby("battery_id")["checked_at"].transform("min")
    last = rows.groupby("battery_id")["checked_at"].max()
    age = (rows["checked_at"] - first).dt.total_seconds() / 86_400.0 / MONTH_D
    found, way = learnt_outlook(
        rows[["battery_id", "health_pct"]].assign(age_months=age),
        settings.battery_plan.worn_below_pct,
        settings.usage.interval_pct,
        settings.city.seed,
    )
    since = (as_of.replace(tzinfo=None) - last).dt.total_seconds() / 86_400.0 / MONTH_D
    ahead = tuple(one.after(float(since[one.battery_id])) for one in found)
    plan = replacement_plan(
        ahead, settings.battery_plan.months, settings.battery_plan.stock,
        settings.battery_plan.lead_months,
    )  # fmt: skip
    due = int(plan["due"].sum())
    return Answer(
        sheets=battery_health_sheets(ahead, plan, way, settings),
        headline=(
            f"Batteries: {due} of {len(ahead)} fall below "
            f"{settings.battery_plan.worn_below_pct:g} % within {settings.battery_plan.months} "
            f"months; order {int(plan['order'].sum())}."
        ),
        summary={"batteries_due": due},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return battery_health_sheets((), None, "Not asked yet.", settings)
