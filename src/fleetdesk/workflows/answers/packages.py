"""Which package suits each rider, and who is in the wrong one."""

from __future__ import annotations

from fleetdesk.outputs.tables.packages import package_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Advise every rider on the packages that are on offer."""
    from fleetdesk.riders.packages import advise, on_offer
    from fleetdesk.workflows.rider_data import package_rules, riders_of

    settings = ask.settings
    packages = on_offer(settings.packages)
    riders = riders_of(ask.record, settings)
    ask.on_progress("Weighing packages", 0.8)
    found = advise(
        riders.people(packages, settings), packages, settings.costs,
        package_rules(ask.record, settings), settings.city.seed,
    )  # fmt: skip
    enough = found.holders >= settings.riders.smallest_group
    share = found.wrong_share() if enough else None
    saved = float(found.rows["saving"].clip(lower=0).sum())
    told = "too few riders hold one to say how many are in the wrong one"
    if share is not None:
        told = (
            f"{share[0]:.0f} % of {found.holders} riders with one are in the wrong one; those who "
            f"may move now would save {saved:,.2f} {settings.city.currency} a month"
        )
    rows = found.rows.assign(consent=riders.now["consent"].to_numpy())
    return Answer(
        sheets=package_sheets(rows, share, settings),
        headline=f"Packages: {told}.",
        summary={"wrong_package_pct": round(share[0], 1) if share else None},
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return package_sheets(None, None, settings)
