"""The sheet Limits: what one more worker, hour or battery would be worth."""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.model.plan import LimitWorth
from fleetdesk.outputs.palette import palette
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

_WHAT = "If there were"


def limits_sheet(worths: Sequence[LimitWorth], settings: Settings) -> ResultSheet:
    """One row per limit of the day, the most worthwhile first, in city currency."""
    worth = f"Profit more ({settings.city.currency})"
    ordered = sorted(worths, key=lambda row: (-row.profit_milli, row.what))
    gains = [row for row in ordered if row.profit_milli or row.more_tasks]
    if not ordered:
        note = "Not worked out for this plan."
    elif gains:
        note = (
            "The same day planned again with the limit lifted and nothing else changed; the gains "
            "do not add up. Wages and driving are in them; hiring or buying is not."
        )
        if gains[-1].profit_milli < 0:
            note += " Below 0, more is done for its priority, or because it must be, than pays."
    else:
        note = "None of these limits holds the day back: lifting one brings nothing."
    return ResultSheet(
        sheet="Limits",
        title=f"What holds the day back: {settings.city.name}",
        note=note,
        table_name="Limits",
        columns=(
            ResultColumn(_WHAT, CellStyle.TEXT, 40),
            ResultColumn(
                worth, CellStyle.MONEY, 14,
                "Of the whole day, after travel and labour; below 0 where tasks are done for "
                "their priority or because they must be.",
            ),
            ResultColumn("Tasks more", CellStyle.INTEGER, 10, "Planned then; may be fewer."),
        ),
        rows=[(row.what, row.profit_milli / 1000, row.more_tasks) for row in ordered],
        key=_WHAT,
        charts=(
            Chart(
                ChartKind.BAR, "Worth of one step more", _WHAT, "Profit more",
                settings.city.currency, _WHAT, (Series(worth, palette().category(0)),),
                "Of the whole day, wages and driving counted, hiring and buying not.",
            ),
        ),
    )  # fmt: skip
