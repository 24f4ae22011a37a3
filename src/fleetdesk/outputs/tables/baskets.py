"""The sheets about services that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import rows_of
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

if TYPE_CHECKING:
    from fleetdesk.riders.baskets import Baskets

_MOST_RULES, _MOST_SETS = 100, 30
_RULE = (
    "rule", "given", "then_item", "support", "confidence", "lift", "leverage", "p_value", "q_value",
)  # fmt: skip


def basket_sheets(found: Baskets | None, settings: Settings) -> tuple[ResultSheet, ...]:
    """The rules, by lift, and the frequent sets; those of too few riders are left out."""
    least = settings.riders.smallest_group
    total = found.baskets if found else 0
    rules: list[tuple[Value, ...]] = []
    sets: list[tuple[Value, ...]] = []
    if found is not None:
        table = found.rules[found.rules["support"] * total >= least].head(_MOST_RULES)
        given = [", ".join(items) for items in table["if_items"]]
        table = table.assign(
            given=given,
            rule=[f"{of} → {then}" for of, then in zip(given, table["then_item"], strict=True)],
            support=100 * table["support"],
            confidence=100 * table["confidence"],
        )
        rules = rows_of(table, _RULE)
        frequent = found.sets[found.sets["support"] * total >= least]
        frequent = frequent[frequent["closed"]].head(_MOST_SETS)
        frequent = frequent.assign(
            count=[len(items) for items in frequent["items"]], support=100 * frequent["support"]
        )
        sets = rows_of(frequent, ("items", "count", "support"))
    return (
        ResultSheet(
            sheet="Services together",
            title=f"Services that go together: {settings.city.name}",
            note=(
                f"{total} riders; rules that chance does not explain, at most "
                f"{settings.service_sets.false_pct:g} % of them false; at most {_MOST_RULES}, by "
                "lift. A rule that is no surer than one that asks for less is left out."
            ),
            table_name="ServicesTogether",
            columns=(
                ResultColumn("Rule", CellStyle.WRAPPED, 44),
                ResultColumn("Who uses", CellStyle.WRAPPED, 30),
                ResultColumn("Also uses", CellStyle.TEXT, 20),
                ResultColumn("Support (%)", CellStyle.PERCENT, 10, "Of riders use all."),
                ResultColumn("Confidence (%)", CellStyle.PERCENT, 11),
                ResultColumn("Lift", CellStyle.DECIMAL, 8, "1 = as by chance."),
                ResultColumn("Leverage", CellStyle.FINE, 10, "Share of riders above chance."),
                ResultColumn("p", CellStyle.FINE, 9, "Fisher's exact test, one-sided."),
                ResultColumn("False discovery rate", CellStyle.FINE, 11),
            ),
            rows=rules,
            key="Rule",
        ),
        ResultSheet(
            sheet="Service sets found",
            title="Services used together most",
            note=(
                f"By share of riders, at most {_MOST_SETS}; a set whose riders all use more "
                "together is left out."
            ),
            table_name="ServiceSetsFound",
            columns=(
                ResultColumn("Services", CellStyle.WRAPPED, 44),
                ResultColumn("Count", CellStyle.INTEGER, 8),
                ResultColumn("Support (%)", CellStyle.PERCENT, 11),
            ),
            rows=sets,
            key="Services",
            charts=(
                Chart(
                    ChartKind.BAR, "Services used together", "Services", "Riders", "%", "Services",
                    (Series("Support (%)", palette().category(0)),),
                ),
            ),
        ),
    )  # fmt: skip
