"""A process to be killed: loads all once, then forks a fresh importer for each order.

Orders come as lines of JSON on stdin: {"folder": path, "rows": how many there are by now}, with
"at_call" to die before the n-th change of the disk, or "after_s" to be killed that long after its
first generation. Each is answered by the importer's exit status (negative: the signal).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import feeds
import pandas  # noqa: F401 - pyarrow looks for it, and importers should not each pay for that

from fleetdesk.workflows import intake
from fleetdesk.workflows.refresh import import_source
from fleetdesk.workflows.workspace import NewWorkbook

RISKY = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir", "open", "write")


def bring(order: dict[str, Any], under_way: int) -> None:
    import_source(
        "numbers", "https://feed/numbers", Path(order["folder"]), NewWorkbook(),
        options=[f"rows={order['rows']}", "page=5"],
        on_progress=partial(tell, under_way),
    )  # fmt: skip


def main() -> None:
    feeds.register()
    intake.ROWS_PER_GENERATION = 20
    for line in sys.stdin:
        order = json.loads(line)
        reads, writes = os.pipe()
        importer = os.fork()
        if not importer:
            code = 1
            try:
                if "at_call" in order:
                    die_at(order["at_call"])
                bring(order, writes)
                code = 0
            finally:
                os._exit(code)
        os.close(writes)
        if "after_s" in order:
            os.read(reads, 1)
            time.sleep(order["after_s"])
            os.kill(importer, signal.SIGKILL)
        _, status = os.waitpid(importer, 0)
        os.close(reads)
        print(os.waitstatus_to_exitcode(status), flush=True)


def tell(under_way: int, step: str, _: float) -> None:
    if "are safe" in step:
        os.write(under_way, b".")


def die_at(call: int) -> None:
    """Die just before the given call (from 0) among those that change the disk."""
    made = 0

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            if made == call:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1
            return original(*args, **kwargs)

        return wrapper

    for name in RISKY:
        setattr(os, name, watched(getattr(os, name)))


if __name__ == "__main__":
    main()
