"""The routes of the last plan, sent to the workers by mail."""

from __future__ import annotations

from fleetdesk.errors import Problem, Severity
from fleetdesk.outputs.tables.mail_log import mail_log_sheet
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.catalog import Answer
from fleetdesk.workflows.context import Context
from fleetdesk.workflows.mailing import MailOptions, deliver, post
from fleetdesk.workflows.progress import OnProgress


def act(context: Context, option: MailOptions | None, on_progress: OnProgress) -> Answer:
    """Send each route that its worker has not got yet, or what the option says."""
    letters = post(context, option or MailOptions())
    rows, tries = deliver(context, letters, on_progress)
    failed = [entry for entry in tries if entry.trouble]
    left_out = [letter for letter in letters.letters if letter.skipped]
    notes = [
        Problem("Mail", "", f"{entry.worker} ({entry.to}) got no mail:", entry.trouble,
                "Run fleetdesk mail again when that is mended", Severity.WARNING)
        for entry in failed
    ]  # fmt: skip
    notes += [
        Problem("Mail", "", f"{letter.route.worker} is not mailed:", letter.skipped, "",
                Severity.NOTE)
        for letter in left_out
    ]  # fmt: skip
    sent = len(tries) - len(failed)
    return Answer(
        sheets=(mail_log_sheet(rows, context.settings),),
        headline=(
            f"Mailed {sent} route{'' if sent == 1 else 's'} of plan {letters.plan.run_id}"
            f"{f'; {len(failed)} could not be sent' if failed else ''}"
            f"{f'; {len(left_out)} left out' if left_out else ''}."
        ),
        notes=tuple(notes),
        summary={
            "mailed": [entry.worker for entry in tries if not entry.trouble],
            "not_mailed": {entry.worker: entry.trouble for entry in failed},
            "left_out": {letter.route.worker: letter.skipped for letter in left_out},
        },
    )


def empty(settings: Settings) -> tuple[ResultSheet, ...]:
    """The sheet before the first mail."""
    return (mail_log_sheet([], settings),)
