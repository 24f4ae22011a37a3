"""The key figures about riders, usage, money and service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fleetdesk.outputs.tables.rider_months import rider_months_sheet
from fleetdesk.outputs.tables.riders import number
from fleetdesk.outputs.tables.run import KpiRow, kpis_sheet
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask

if TYPE_CHECKING:
    from fleetdesk.riders.kpis import RiderKpi


def answer(ask: Ask) -> Answer:
    """Work them out over the last 30 days, and over those before."""
    from fleetdesk.riders.kpis import rider_kpis, rider_months

    settings, as_of = ask.settings, ask.record.moment.as_of
    values, reach = _values(ask)
    figures = rider_kpis(ask.record.tables, settings, as_of, values, reach)
    ask.on_progress("Looking at the months before", 0.4)
    months = [
        tuple(_shown(kpi, settings) for kpi in month)
        for month in rider_months(ask.record.tables, settings, as_of, figures)
    ]
    found = months[-1]
    by_name = {kpi.name: kpi.value for kpi in found}
    active, churn = by_name["Monthly active riders"], by_name["Churn a month"]
    riders = "too few active riders to show" if active is None else f"{active:.0f} active riders"
    told = "churn not known" if churn is None else f"{churn:.1f} % churn a month"
    return Answer(
        sheets=(_sheet(found), rider_months_sheet(months, settings)),
        headline=f"Rider KPIs: {riders}, {told}.",
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheets before the first run."""
    return _sheet(()), rider_months_sheet((), settings)


def _values(ask: Ask) -> tuple[list[float], str]:
    """What riders are still worth, and over how long; none where that cannot be told."""
    from fleetdesk.errors import NotEnoughData
    from fleetdesk.workflows.rider_values import values_of

    try:
        found = values_of(ask.record, ask.settings)
    except NotEnoughData:
        return [], ""
    return found.riders["value"].dropna().tolist(), found.reach


def _shown(kpi: RiderKpi, settings: Settings) -> RiderKpi:
    """The figure, alike from every engine; of too few riders nothing but that they are so."""
    least = settings.riders.smallest_group
    if kpi.riders is None or not 0 < kpi.riders < least:
        return replace(kpi, value=number(kpi.value, 6))
    return replace(kpi, value=None, formula=f"not shown: of fewer than {least} riders")


def _sheet(found: Sequence[KpiRow]) -> ResultSheet:
    sheet = kpis_sheet(found)
    return replace(
        sheet, sheet="Rider KPIs", title="Key figures about riders", table_name="RiderKpis"
    )
