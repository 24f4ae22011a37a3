"""The sheets Thresholds result, Threshold returns and Thresholds by cell."""

from __future__ import annotations

from math import isfinite

from fleetdesk.fleet.threshold_policy import ThresholdPolicy
from fleetdesk.fleet.thresholds import Outcome, ThresholdAnalysis
from fleetdesk.model.charts import Chart, ChartKind, Series
from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.wording import money, roi_name
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

_FIRST_PCT = 5
_THRESHOLD = "Threshold (%)"
_RETURN, _LOW, _HIGH = "Cumulative return", "Low end of it", "High end of it"
_IN_USE, _BEST = "In use", "Best"


def threshold_sheet(found: ThresholdAnalysis | None, settings: Settings) -> ResultSheet:
    """What past swaps returned in all if only batteries below x had been swapped.

    The curve ends at the highest charge that was swapped: of fuller batteries nothing is known.
    """
    currency, in_use = settings.city.currency, settings.thresholds.low_battery_pct
    rows = _curve_rows(found, in_use) if found else []
    note = _best_note(found, settings)
    colours = palette()

    def header(name: str) -> str:
        return f"{name} ({currency})"

    band = (
        Series(header(_LOW), colours.category(2), "1 in 20 draws is lower"),
        Series(header(_HIGH), colours.category(4), "1 in 20 draws is higher"),
    )
    return ResultSheet(
        sheet="Thresholds result",
        title=f"Battery threshold: {settings.city.name}",
        note=(
            f"Realised {roi_name(settings)} of past swaps, added up over the vehicles with less "
            f"charge than the threshold. In use: {in_use:g} %."
        ),
        table_name="ThresholdsResult",
        columns=(
            ResultColumn(_THRESHOLD, CellStyle.INTEGER, 12, "Only batteries below it are swapped."),
            ResultColumn("Swaps", CellStyle.INTEGER, 9),
            ResultColumn(header(_RETURN), CellStyle.MONEY, 19),
            ResultColumn(header(_LOW), CellStyle.MONEY, 14, "1 in 20 draws of the tasks is lower."),
            ResultColumn(header(_HIGH), CellStyle.MONEY, 14, "1 in 20 draws is higher."),
            ResultColumn("Cost/revenue (%)", CellStyle.PERCENT, 16, "Sum of cost / of revenue."),
            ResultColumn(_IN_USE, CellStyle.MONEY, 12, "At the threshold in use."),
            ResultColumn(_BEST, CellStyle.MONEY, 12, "At the threshold that returns most."),
        ),
        rows=rows,
        key=_THRESHOLD,
        charts=(
            Chart(
                ChartKind.LINE,
                title="Cumulative return against the battery threshold",
                x_title="Threshold: swap batteries below this charge (%)",
                y_title="Cumulative return",
                unit=currency,
                categories=_THRESHOLD,
                series=(
                    Series(header(_RETURN), colours.category(0), _RETURN),
                    *(band if found and found.best_range_pct else ()),
                    Series(_IN_USE, colours.alert, f"Threshold in use: {in_use:g} %", mark=True),
                    Series(_BEST, colours.category(3), "Best threshold", mark=True),
                ),
                note=note,
            ),
        ),
    )


def threshold_returns_sheet(found: ThresholdAnalysis | None, settings: Settings) -> ResultSheet:
    """The published table, over the weeks that chose the threshold and over those that did not.

    Current -> best threshold -> two upper bounds, which are told apart: what could be known to pay,
    and what turned out to pay, which takes luck for knowledge.
    """
    currency = settings.city.currency
    rows: list[tuple[Value, ...]] = []
    for table in found.comparisons if found else ():
        for name, outcome, threshold in (
            ("Current: all that was done", table.current, None),
            ("Best threshold", table.threshold, table.threshold_pct),
            ("Upper bound: E[ROI | S] > 0", table.foreseen, None),
            ("Upper bound: perfect prediction", table.perfect, None),
        ):
            rows.append((f"{table.tasks}: {name}", *_figures(outcome), threshold))
    missing = f" {found.missing}." if found and found.missing else ""
    return ResultSheet(
        sheet="Threshold returns",
        title=f"What a threshold returns: {settings.city.name}",
        note=(
            f"Realised {roi_name(settings)} of past swaps. Trust the weeks that were not learnt "
            "from: on its own weeks a threshold also fits chance. Perfect prediction does only "
            f"what turned out to pay, which nobody can know.{missing}"
        ),
        table_name="ThresholdReturns",
        columns=(
            ResultColumn("Weeks and rule", CellStyle.TEXT, 58),
            ResultColumn("Swaps", CellStyle.INTEGER, 9),
            ResultColumn(f"Return ({currency})", CellStyle.MONEY, 14),
            ResultColumn("Cost/revenue (%)", CellStyle.PERCENT, 16),
            ResultColumn(_THRESHOLD, CellStyle.INTEGER, 12, "Empty = not one threshold."),
        ),
        rows=rows,
        key="Weeks and rule",
    )


def local_thresholds_sheet(policy: ThresholdPolicy | None, settings: Settings) -> ResultSheet:
    """Cells and hours with enough swaps for a threshold of their own, best proved first."""
    currency = settings.city.currency
    found = sorted(
        policy.local.values() if policy else (),
        key=lambda place: (-place.held_out_gain, place.cell, place.hour),
    )
    region = f"The region's threshold is {policy.region_pct:g} %. " if policy else ""
    own = sum(place.overrides for place in found)
    return ResultSheet(
        sheet="Thresholds by cell",
        title=f"Battery thresholds by cell and hour: {settings.city.name}",
        note=(
            f"{region}{own} of {len(found)} cells and hours with at least 30 swaps proved a "
            "threshold of their own on weeks that it was not learnt from; the others keep the "
            "region's."
        ),
        table_name="ThresholdsByCell",
        columns=(
            ResultColumn("Cell and hour", CellStyle.TEXT, 16),
            ResultColumn("Cell", CellStyle.TEXT, 11),
            ResultColumn("Hour", CellStyle.INTEGER, 8, "Local."),
            ResultColumn("Swaps", CellStyle.INTEGER, 9),
            ResultColumn(_THRESHOLD, CellStyle.INTEGER, 12, "Leans on the region's line."),
            ResultColumn(
                f"Held-out gain ({currency})", CellStyle.MONEY, 15,
                "More than the region's threshold returns, on weeks not learnt from.",
            ),
            ResultColumn("Used", CellStyle.TEXT, 9, "yes = it overrides the region's."),
        ),
        rows=[
            (
                f"{place.cell} {place.hour:02d}", place.cell, place.hour, place.tasks,
                place.threshold_pct, place.held_out_gain, "yes" if place.overrides else "no",
            )
            for place in found
        ],
        key="Cell and hour",
    )  # fmt: skip


def _curve_rows(found: ThresholdAnalysis, in_use: float) -> list[tuple[Value, ...]]:
    """The curve at each charge; without draws its ends stay empty."""
    curve, best, drawn = found.curve, found.best_pct, found.best_range_pct is not None
    if not curve.tasks[-1]:
        return []
    whole = curve.tasks.tolist()
    last = max(whole.index(whole[-1]), _FIRST_PCT, min(round(in_use), len(whole) - 1), int(best))
    rows: list[tuple[Value, ...]] = []
    for i in range(min(_FIRST_PCT, int(best)), last + 1):
        at, returned = float(curve.threshold_pct[i]), float(curve.returned[i])
        share = float(curve.cost_per_revenue_pct[i])
        rows.append(
            (
                at, whole[i], returned,
                float(curve.low[i]) if drawn else None, float(curve.high[i]) if drawn else None,
                share if isfinite(share) else None,
                returned if at == round(in_use) else None,
                returned if at == best else None,
            )
        )  # fmt: skip
    return rows


def _best_note(found: ThresholdAnalysis | None, settings: Settings) -> str:
    if found is None or not found.curve.tasks[-1]:
        return "There is no past battery swap to weigh."
    fitted = found.comparisons[0].threshold
    amount = money(fitted.returned, settings.city.currency)
    spread = found.best_range_pct
    between = f" (9 in 10 draws: {spread[0]:.0f} to {spread[1]:.0f} %)" if spread else ""
    return f"Highest at {found.best_pct:g} %{between}: {amount} from {fitted.tasks} swaps."


def _figures(outcome: Outcome) -> tuple[Value, ...]:
    return outcome.tasks, outcome.returned, outcome.cost_per_revenue_pct
