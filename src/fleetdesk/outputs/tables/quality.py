"""The sheet Data quality: what a run did without, and what became of the rows of each import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetdesk.model.findings import Finding
from fleetdesk.model.quality import QualityReport
from fleetdesk.outputs.wording import local
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet, Value

ALL = "All imports below"
RUN = "This run"
SHOWN = 60


@dataclass(frozen=True, slots=True)
class ImportAccount:
    """One import: when (UTC-aware), and the account that its source gave of its rows."""

    at: datetime
    report: QualityReport


def quality_sheet(
    accounts: Sequence[ImportAccount], settings: Settings, findings: Sequence[Finding] = ()
) -> ResultSheet:
    """One row per import and outcome, the latest import first, below the sums of all.

    `findings` are what this run found wrong with records that are in; they come between.
    `What` tells the rows apart, so that a filter or a pivot adds up what belongs together.
    """
    latest = sorted(accounts, key=lambda account: account.at, reverse=True)[:SHOWN]
    rows = [
        *_sums(ALL, None, [account.report for account in latest]),
        *(_found(finding) for finding in findings),
        *(row for account in latest for row in _rows(account, settings)),
    ]
    return ResultSheet(
        sheet="Data quality",
        title="Data quality",
        note=(
            "Rows that came in, were kept and were left out at each import, and why; before them "
            f"what this run found and did with records ({RUN}). "
            f"The latest {SHOWN} imports; times are local ({settings.city.timezone})."
        ),
        table_name="DataQuality",
        columns=(
            ResultColumn("Imported", CellStyle.DATETIME, 17),
            ResultColumn("Source", CellStyle.TEXT, 42),
            ResultColumn(
                "What",
                CellStyle.TEXT,
                13,
                "came in, kept, left out, value ignored, note or figure",
            ),
            ResultColumn("Why", CellStyle.WRAPPED, 56, "The reason, the note, or the figure."),
            ResultColumn(
                "Rows", _style([row[4] for row in rows]), 13, "Rows, or the figure's value."
            ),
            ResultColumn("Share of rows (%)", CellStyle.DECIMAL, 11, "Of the rows looked at."),
            ResultColumn("Examples", CellStyle.WRAPPED, 60),
        ),
        rows=rows,
    )


def _rows(account: ImportAccount, settings: Settings) -> Iterable[tuple[Value, ...]]:
    report, at = account.report, local(account.at, settings)
    yield from _sums(report.source, at, [report])
    for entry in report.dropped:
        share = _share_pct(entry.rows, report.rows_in)
        examples = "\n".join(entry.examples)
        yield at, report.source, "left out", entry.reason, entry.rows, share, examples
    for label, value in report.facts.items():
        yield at, report.source, "figure", label, value, None, ""
    for note in report.notes:
        yield at, report.source, "note", note, None, None, ""


def _found(finding: Finding) -> tuple[Value, ...]:
    source, share = f"{RUN}: {finding.table}", _share_pct(finding.rows, finding.of)
    examples = "\n".join(finding.examples)
    return None, source, finding.done.value, finding.fault, finding.rows, share, examples


def _sums(
    source: str, at: datetime | None, reports: Sequence[QualityReport]
) -> Iterable[tuple[Value, ...]]:
    if not reports:
        return
    came = sum(report.rows_in for report in reports)
    kept = sum(report.rows_kept for report in reports)
    yield at, source, "came in", "", came, None, ""
    yield at, source, "kept", "", kept, _share_pct(kept, came), ""
    if came > kept:
        why = "for all reasons"
        yield at, source, "left out", why, came - kept, _share_pct(came - kept, came), ""


def _style(values: Sequence[Value]) -> CellStyle:
    """Counts without decimals; with them only where a figure such as a mean has some."""
    broken = any(isinstance(value, float) and not value.is_integer() for value in values)
    return CellStyle.DECIMAL if broken else CellStyle.INTEGER


def _share_pct(rows: int, of: int) -> float | None:
    return 100 * rows / of if of else None
