"""A VictoriaMetrics of our own for a test: loopback, temporary folder."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.common import LOOPBACK, free_port, own_folder, program, serving

DEDUP = "-dedup.minScrapeInterval=1ms"


@contextmanager
def running_victoria(*flags: str, retention: str = "24") -> Iterator[str]:
    """Start one and give its address; skips where it is not installed.

    `retention` is in months unless it has a unit; `flags` are further ones, such as DEDUP.
    """
    binary, port = program("victoria-metrics"), free_port()
    address = f"http://{LOOPBACK}:{port}"

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    with own_folder(None) as folder:
        command = [
            binary, f"-storageDataPath={folder / 'data'}", f"-httpListenAddr={LOOPBACK}:{port}",
            f"-retentionPeriod={retention}", *flags,
        ]  # fmt: skip
        with serving(command, is_ready, log=folder / "log"):
            yield address
