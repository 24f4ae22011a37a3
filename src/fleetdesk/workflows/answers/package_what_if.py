"""What other packages or prices would mean; nothing is sold by asking."""

from __future__ import annotations

from fleetdesk.errors import NotEnoughData
from fleetdesk.outputs.tables.packages import trial_sheets
from fleetdesk.settings.schema import Package, Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Let the riders of today choose among the packages as the sheet Package trial has them."""
    import numpy as np

    from fleetdesk.riders.package_costs import Usage
    from fleetdesk.riders.package_trial import TrialRules, try_packages
    from fleetdesk.riders.packages import NONE, on_offer
    from fleetdesk.workflows.rider_data import held, riders_of

    settings = ask.settings
    after = on_offer(on_trial(settings))
    riders = riders_of(ask.record, settings)
    before = tuple(settings.packages)
    package = held(riders.now["package"], [one.name for one in before])
    who = np.flatnonzero(package != NONE)
    if who.size == 0:
        raise NotEnoughData(
            "Nobody holds a package, so nobody can move to another",
            found="no running subscription to a package of the sheet Packages",
            fix="Import subscriptions whose packages are named as in the sheet",
        )
    usage, advice = riders.usage(settings), settings.package_advice
    found = try_packages(
        Usage(usage.km[who], usage.swaps[who]), package[who], before, after, settings.costs,
        TrialRules(
            advice.least_saving, _churn_pct(ask), advice.churn_response_pct,
            advice.churn_response_error_pct, advice.cost_per_km,
        ),
        rounds=advice.trial_rounds, seed=settings.city.seed,
    )  # fmt: skip
    figures = {change.name: change for change in found.figures}
    margin, moved = figures["Margin a month"], figures["Riders moved"]
    return Answer(
        sheets=trial_sheets(found, settings),
        headline=(
            f"Packages on trial: {moved.after:.0f} of {found.riders} riders would move, margin "
            f"{margin.difference:+,.2f} {settings.city.currency} a month "
            f"({margin.low:+,.2f} to {margin.high:+,.2f})."
        ),
        summary={"trial_margin": round(margin.difference, 2)},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return trial_sheets(None, settings)


def on_trial(settings: Settings) -> tuple[Package, ...]:
    """The packages with what the sheet Package trial changes; NotEnoughData where it is blank.

    A new package needs its monthly price, km and swaps.
    """
    if not settings.package_trial:
        raise NotEnoughData(
            "No package is on trial",
            found="no rows on the sheet Package trial",
            fix="Write the packages that you want to try there",
        )
    packages = {package.name: package for package in settings.packages}
    for row in settings.package_trial:
        told = row.model_dump(exclude={"name", "on_offer"}, exclude_none=True)
        known = packages.get(row.name)
        lacking = {"monthly_price", "included_km", "included_swaps"} - set(told)
        if known is None and lacking:
            raise NotEnoughData(
                f"The new package {row.name} on the sheet Package trial is not complete",
                found="no " + ", no ".join(sorted(word.replace("_", " ") for word in lacking)),
                fix="Fill these in, or use the name of a package of the sheet Packages",
            )
        base = known.model_dump() if known else {"name": row.name}
        packages[row.name] = Package(**(base | told | {"active": row.on_offer}))
    return tuple(packages.values())


def _churn_pct(ask: Ask) -> float:
    """Share of package holders who cancelled in the last month of days, of those at its start."""
    from datetime import timedelta

    from fleetdesk.features.calendar import moment

    stays, as_of = ask.record.tables["subscriptions"], ask.record.moment.as_of
    since = moment(as_of - timedelta(days=30))
    there = stays.filter(
        (stays.started_at <= since) & (stays.ended_at.isnull() | (stays.ended_at > since))
    )
    gone = (there.ended_at <= moment(as_of)) & (there.end_cause == "cancelled")
    row = there.agg(n=there.count(), gone=there.count(where=gone)).to_pyarrow().to_pylist()[0]
    return 100.0 * row["gone"] / row["n"] if row["n"] else 0.0
