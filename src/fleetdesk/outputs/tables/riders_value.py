"""The sheets about lifetime value: tiers, packages, and riders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.tables.frames import hidden_note, listed, rows_of, without_small
from fleetdesk.outputs.tables.riders import (
    COUNT,
    MONEY,
    NOT_ASKED,
    NUMBER,
    TEXT,
    column,
    sheet,
)  # fmt: skip
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultColumn, ResultSheet, Value

if TYPE_CHECKING:
    import pandas as pd

_MEANS = "Mean with its 90 % interval over riders; how far the models are off is not in it."


def value_sheets(
    riders: pd.DataFrame | None, note: str, settings: Settings
) -> tuple[ResultSheet, ...]:
    """By tier, by package and channel, by rider; `riders` as workflows value them. None = not
    asked.
    """
    return (
        _tiers(riders, note, settings),
        _groups(riders, settings),
        _by_rider(riders, settings),
    )


def _tiers(riders: pd.DataFrame | None, note: str, settings: Settings) -> ResultSheet:
    from fleetdesk.riders.lifetime_value import TIERS

    rows: list[tuple[Value, ...]] = []
    if riders is not None:
        known = riders[riders["value"].notna()]
        named = known.assign(name=[TIERS[int(tier)] for tier in known["tier"]])
        rows = _summed(named, "name", list(TIERS), settings)
    total = f"Value of all ({settings.city.currency})"
    return sheet(
        "Rider value", "What the riders are still worth", note if riders is not None else
        NOT_ASKED,
        _columns("Tier", settings), rows, settings, key="Tier",
        charts=(
            Chart(
                ChartKind.COLUMN, "Value by tier", "Tier", "Value", settings.city.currency, "Tier",
                (Series(total, palette().category(0)),),
            ),
        ),
    )  # fmt: skip


def _groups(riders: pd.DataFrame | None, settings: Settings) -> ResultSheet:
    rows: list[tuple[Value, ...]] = []
    if riders is not None:
        known = riders[riders["value"].notna()]
        package = "Package: " + known["package"].fillna("none").astype(str)
        channel = "Channel: " + known["channel"].fillna("not known").astype(str)
        for names in (package, channel):
            rows += _summed(known.assign(name=names), "name", sorted(set(names)), settings)
    mean = f"Mean value ({settings.city.currency})"
    return sheet(
        "Value by group", "Which riders are worth most",
        _MEANS if riders is not None else NOT_ASKED,
        _columns("Group", settings), rows, settings, key="Group",
        charts=(
            Chart(
                ChartKind.BAR, "Mean value", "Group", "Value", settings.city.currency, "Group",
                (Series(mean, palette().category(1)),),
            ),
        ),
    )  # fmt: skip


def _by_rider(riders: pd.DataFrame | None, settings: Settings) -> ResultSheet:
    from fleetdesk.riders.lifetime_value import TIERS

    rows, note = [], NOT_ASKED
    if riders is not None:
        note = hidden_note(settings) or "Riders who agreed to be listed, the most valuable first."
        table = listed(riders[riders["value"].notna()], settings)
        table = table.sort_values(["value", "rider_id"], ascending=[False, True])
        table = table.assign(name=[TIERS[int(tier)] for tier in table["tier"]])
        shown = (
            "rider_id", "name", "package", "value", "low", "high", "months_expected",
            "months_counted", "monthly_spend", "basis",
        )  # fmt: skip
        rows = rows_of(table, shown)
    money = settings.city.currency
    return sheet(
        "Value by rider", "What each rider is still worth", note,
        (
            column("Rider", TEXT, 18), column("Tier", TEXT, 11), column("Package", TEXT, 18),
            column(f"Value ({money})", MONEY, 13),
            column(f"Low ({money})", MONEY, 12,
                   "90 %: how sure the curve of staying is; empty for riders without a package."),
            column(f"High ({money})", MONEY, 12),
            column("Months expected", NUMBER, 12),
            column("Months counted", NUMBER, 12,
                   "The value is over these; for trips no more than the records reach back."),
            column(f"Pays a month ({money})", MONEY, 12),
            column("Learnt from", TEXT, 12, "package = the curve of staying; trips = BG/NBD."),
        ),
        rows, settings, key="Rider",
    )  # fmt: skip


def _columns(head: str, settings: Settings) -> tuple[ResultColumn, ...]:
    money = settings.city.currency
    return (
        column(head, TEXT, 24), column("Riders", COUNT, 9, "Empty = too few to show."),
        column(f"Mean value ({money})", MONEY, 13), column(f"Mean, low ({money})", MONEY, 13),
        column(f"Mean, high ({money})", MONEY, 13), column(f"Value of all ({money})", MONEY, 15),
        column("Months counted", TEXT, 12, "The values are over these; no more than trips reach "
               "back for riders without a package."),
    )  # fmt: skip


def _summed(
    known: pd.DataFrame, by: str, names: list[str], settings: Settings
) -> list[tuple[Value, ...]]:
    import pandas as pd

    from fleetdesk.riders.lifetime_value import mean_interval

    found = []
    for name in names:
        mine = known[known[by] == name]
        values = mine["value"].to_numpy(float)
        mean, low, high = mean_interval(values, settings.city.seed)
        months = _range(mine["months_counted"])
        found.append((name, len(values), mean, low, high, float(values.sum()), months))
    figures = ("mean", "low", "high", "total", "months")
    table = pd.DataFrame(found, columns=["name", "riders", *figures])
    return rows_of(without_small(table, "riders", figures, settings), ("name", "riders", *figures))


def _range(months: pd.Series[float]) -> str:
    """`120`, or `1 to 120` where they differ."""
    ends = [months.min(), months.max()] if len(months) else []
    return " to ".join(dict.fromkeys(f"{round(month, 1):g}" for month in ends))
