"""The sheet Mail log: which worker got which route, when, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetdesk.outputs.wording import local, sentence
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import CellStyle, ResultColumn, ResultSheet

SHOWN = 500
"""The newest so many; the file keeps all."""


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail, sent or not; `at` is UTC-aware, `day` the day of the route, `why` what happened."""

    at: datetime
    worker: str
    to: str
    result: str
    why: str
    day: str
    subject: str
    plan: str


def mail_log_sheet(rows: Sequence[MailRow], settings: Settings) -> ResultSheet:
    """One row per mail, newest first; the last call's workers without a mail are told, too."""
    newest = sorted(rows, key=lambda row: row.at, reverse=True)[:SHOWN]
    sent = sum(row.result == "sent" for row in newest)
    return ResultSheet(
        sheet="Mail log",
        title=f"Mail log: {settings.city.name}",
        note=(
            f"{sent} of {len(newest)} rows were sent; newest first, times are local "
            f"({settings.city.timezone}). fleetdesk mail sends what was not sent yet."
            if newest
            else "No mail was sent yet; fleetdesk mail sends the routes of the last plan."
        ),
        table_name="MailLog",
        columns=(
            ResultColumn("Time", CellStyle.DATETIME, 17),
            ResultColumn("Worker", CellStyle.TEXT, 16),
            ResultColumn("Result", CellStyle.TEXT, 12),
            ResultColumn("Why", CellStyle.WRAPPED, 52),
            ResultColumn("Address", CellStyle.TEXT, 30),
            ResultColumn("Day of the route", CellStyle.TEXT, 14),
            ResultColumn("Subject", CellStyle.WRAPPED, 44),
            ResultColumn("Plan", CellStyle.TEXT, 18, "The run that made the route."),
        ),
        rows=[
            (
                local(row.at, settings),
                row.worker,
                row.result,
                sentence(row.why),
                row.to,
                row.day,
                row.subject,
                row.plan,
            )
            for row in newest
        ],
    )
