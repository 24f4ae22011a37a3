"""The key figures about riders, usage, money and service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleetdesk.outputs.tables.run import KpiRow, kpis_sheet
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer, Ask


def answer(ask: Ask) -> Answer:
    """Work them out over the last 30 days."""
    from fleetdesk.riders.kpis import rider_kpis

    found = rider_kpis(ask.record.tables, ask.settings, ask.record.moment.as_of)
    by_name = {kpi.name: kpi for kpi in found}
    active = by_name["Monthly active riders"].value
    churn = by_name["Churn a month"].value
    told = "churn not known" if churn is None else f"{churn:.1f} % churn a month"
    return Answer(
        sheets=(_sheet(found),),
        headline=f"Rider KPIs: {active:.0f} active riders, {told}.",
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheet before the first run."""
    del settings
    return (_sheet(()),)


def _sheet(found: Sequence[KpiRow]) -> ResultSheet:
    sheet = kpis_sheet(found)
    return replace(
        sheet, sheet="Rider KPIs", title="Key figures about riders", table_name="RiderKpis"
    )
