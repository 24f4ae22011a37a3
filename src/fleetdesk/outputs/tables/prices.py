"""The sheets about prices: how demand answers, what a package may cost, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

if TYPE_CHECKING:
    from fleetdesk.riders.elasticity import Elasticity
    from fleetdesk.riders.pricing import Price

_PACKAGE = "Package"


@dataclass(frozen=True)
class PackagePrices:
    """One package: list price, unit cost, the price that earns most and the dynamic one.

    `best` is None where nobody can tell how demand answers, and so is what too few riders hold.
    """

    package: str
    floor: float
    today: float
    unit_cost: float | None
    best: Price | None
    dynamic: Price


def price_sheets(
    elasticities: Mapping[str, Elasticity], prices: Sequence[PackagePrices], note: str,
    settings: Settings,
) -> tuple[ResultSheet, ...]:  # fmt: skip
    """How demand answers to price, prices, and the account of each."""
    return (
        _elasticity(elasticities, note, settings),
        _prices(prices, note, settings),
        _account(prices, settings),
    )


def _elasticity(found: Mapping[str, Elasticity], note: str, settings: Settings) -> ResultSheet:
    words = {True: "elastic", False: "inelastic", None: "cannot be told"}
    return ResultSheet(
        sheet="Price elasticity",
        title=f"How riders answer to prices: {settings.city.name}",
        note=note,
        table_name="PriceElasticity",
        columns=(
            ResultColumn("Of", CellStyle.TEXT, 24),
            ResultColumn("Elasticity", CellStyle.DECIMAL, 11, "% more riders per 1 % dearer."),
            ResultColumn("From", CellStyle.DECIMAL, 10),
            ResultColumn("To", CellStyle.DECIMAL, 10),
            ResultColumn("Rows", CellStyle.INTEGER, 9, "Package months it is learnt from."),
            ResultColumn("Demand is", CellStyle.TEXT, 15, "Elastic = below -1."),
            ResultColumn("How", CellStyle.WRAPPED, 44),
        ),
        rows=[
            (name, e.value, e.low, e.high, e.rows, words[e.elastic], e.method)
            for name, e in found.items()
        ],
        key="Of",
    )


def _prices(prices: Sequence[PackagePrices], note: str, settings: Settings) -> ResultSheet:
    money, colours = settings.city.currency, palette()
    today, best, dynamic = (
        f"Today ({money})", f"Earns most ({money})", f"Dynamic ({money})",
    )  # fmt: skip
    return ResultSheet(
        sheet="Prices",
        title="What packages may cost",
        note=note,
        table_name="Prices",
        columns=(
            ResultColumn(_PACKAGE, CellStyle.TEXT, 20),
            ResultColumn(f"Floor ({money})", CellStyle.MONEY, 11),
            ResultColumn(today, CellStyle.MONEY, 11),
            ResultColumn(
                f"Cost per rider ({money})", CellStyle.MONEY, 12, "A month, gross; empty = too few."
            ),
            ResultColumn(best, CellStyle.MONEY, 12, "Empty = nobody can tell."),
            ResultColumn(dynamic, CellStyle.MONEY, 12, "With the factors of the sheet Pricing."),
            ResultColumn("Why", CellStyle.WRAPPED, 60),
        ),
        rows=[
            (p.package, p.floor, p.today, p.unit_cost, p.best.price if p.best else None,
             p.dynamic.price, _why(p))
            for p in prices
        ],
        key=_PACKAGE,
        charts=(
            Chart(
                ChartKind.COLUMN, "Package prices", _PACKAGE, "A month", money, _PACKAGE,
                (
                    Series(today, colours.category(0)),
                    Series(best, colours.category(1)),
                    Series(dynamic, colours.category(2)),
                ),
            ),
        ),
    )  # fmt: skip


def _account(prices: Sequence[PackagePrices], settings: Settings) -> ResultSheet:
    rows = []
    for entry in prices:
        for kind, price in (("earns most", entry.best), ("dynamic", entry.dynamic)):
            for number, step in enumerate(price.steps if price else (), start=1):
                rows.append((entry.package, kind, number, step.reason, step.change_pct, step.price))
    return ResultSheet(
        sheet="Price account",
        title="How each price came about",
        note="Step by step; the last step is the price.",
        table_name="PriceAccount",
        columns=(
            ResultColumn(_PACKAGE, CellStyle.TEXT, 20),
            ResultColumn("Price", CellStyle.TEXT, 13),
            ResultColumn("Step", CellStyle.INTEGER, 7),
            ResultColumn("Reason", CellStyle.WRAPPED, 50),
            ResultColumn("Change (%)", CellStyle.PERCENT, 11),
            ResultColumn(f"Then ({settings.city.currency})", CellStyle.MONEY, 11),
        ),
        rows=rows,
    )


def _why(entry: PackagePrices) -> str:
    parts = [step.reason for step in (entry.best.steps[1:] if entry.best else ())]
    parts += [f"dynamic: {step.reason}" for step in entry.dynamic.steps[1:]]
    return "; ".join(parts)
