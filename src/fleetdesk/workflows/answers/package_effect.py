"""What taking a package does to what riders pay, like compared with like."""

from __future__ import annotations

from datetime import timedelta

from fleetdesk.errors import NotEnoughData
from fleetdesk.outputs.tables.offers import effect_sheets
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

_WHAT = "took a package"


def answer(ask: Ask) -> Answer:
    """Compare riders who took a package with others who rode alike before."""
    from fleetdesk.riders.matching import compare
    from fleetdesk.workflows.offer_data import BEFORE, package_takers

    rows = package_takers(ask.record, ask.settings)
    taken, spend = rows["taken"].to_numpy(bool), rows["spend_next"].to_numpy(float)
    try:
        found = compare(rows[list(BEFORE)], taken, spend, seed=ask.settings.city.seed)
    except NotEnoughData as lack:
        horizon = timedelta(days=ask.settings.usage.horizon_days)
        until = ask.record.moment.as_of - horizon
        raise NotEnoughData(
            lack.cause,
            found=f"{lack.found}, of riders without a package who rode in the 30 days before "
            f"{until - horizon:%Y-%m-%d} and since; to get it is to take one until "
            f"{until:%Y-%m-%d}",
            fix=lack.fix,
        ) from lack
    last = found.effects[-1]
    money = ask.settings.city.currency
    return Answer(
        sheets=effect_sheets(found, _WHAT, ask.settings),
        headline=(
            f"Package effect: riders who {_WHAT} paid {last.value:+.2f} {money} in the "
            f"{ask.settings.usage.horizon_days} days after ({last.low:+.2f} to {last.high:+.2f}, "
            f"{last.method})."
        ),
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return effect_sheets(None, _WHAT, settings)
