"""Every mail that was tried, one line each, written down at once: who got which route when."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from fleetdesk.workflows.context import OUTPUTS_FOLDER

LOG_NAME = "mail log.jsonl"


@dataclass(frozen=True, slots=True)
class MailEntry:
    """One try: `at` is UTC-aware, `trouble` empty when the server took it.

    `key` is that of the route at that address (outputs.mail.message); `plan` names the run that
    made the route, `day` its day.
    """

    at: datetime
    worker: str
    to: str
    key: str
    plan: str
    day: str
    subject: str
    trouble: str = ""


def read_log(folder: Path) -> tuple[MailEntry, ...]:
    """All tries of a workspace, oldest first; a line that a crash cut off is left out."""
    path = folder / OUTPUTS_FOLDER / LOG_NAME
    if not path.is_file():
        return ()
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            entries.append(MailEntry(**{**row, "at": datetime.fromisoformat(row["at"])}))
        except (ValueError, TypeError, KeyError):
            continue
    return tuple(entries)


def note(folder: Path, entry: MailEntry) -> None:
    """Add a try; it is on disk when this returns."""
    path = folder / OUTPUTS_FOLDER / LOG_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry), ensure_ascii=False, default=datetime.isoformat)
    with path.open("a+b") as file:
        # A line that a crash cut off must not swallow this one.
        if file.tell() and _last_byte(path) != b"\n":
            file.write(b"\n")
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)
