"""A report of a crash that can be copied and sent; what must stay secret is scrubbed."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from fleetdesk import __version__
from fleetdesk.settings.secrets import scrub


def report_text(what: str, how: str, details: str) -> str:
    """What happened, on which system, and the details; the person's own folder is left out."""
    lines = [
        f"FleetDesk {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"Frozen: {'yes' if getattr(sys, 'frozen', False) else 'no'}",
        f"During: {what}",
        f"What happened: {how}",
        "",
        details.strip(),
    ]
    home = str(Path.home())
    text = scrub("\n".join(lines).strip() + "\n")
    return text.replace(home, "~") if len(home) > 1 else text
