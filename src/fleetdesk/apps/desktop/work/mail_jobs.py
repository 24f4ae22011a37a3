"""Mails to the crew: look at them first, then send each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleetdesk.apps.desktop.work.jobs import OnProgress
from fleetdesk.apps.desktop.work.shapes import Letter, Mails
from fleetdesk.workflows.mail_preview import preview
from fleetdesk.workflows.mailing import MailOptions


def mail_preview(_: OnProgress, *, workbook: str, again: bool = False) -> Mails:
    """Who would get which mail; each as a page to look at. Nothing is sent."""
    found = preview(workbook, MailOptions(again=again))
    pages = [str(path) for path in found.files if path.suffix == ".html"]
    letters = [
        Letter(worker, about, page)
        for (worker, about), page in zip(found.mails.items(), pages, strict=True)
    ]
    return Mails(found.plan, tuple(letters), tuple(found.left_out.items()))


def mail(
    on_progress: OnProgress, *, workbook: str, workers: Sequence[str], again: bool = False
) -> dict[str, Any]:
    """Send the routes of these workers and log it."""
    from fleetdesk.workflows.run import run_workbook

    options = MailOptions(tuple(workers), again)
    done = run_workbook(
        workbook, only=("mail",), options={"mail": options}, on_progress=on_progress
    )
    return dict(done.as_dict())
