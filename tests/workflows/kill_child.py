"""A process to be killed: loads everything once, then forks a fresh victim for each order.

Orders come as lines on stdin: the workbook's path, the number of the change of the disk before
which the victim kills itself (0 = never), and where to copy the workspace before each change, which
is what a kill there would leave ("" = nowhere). Each is answered by the victim's wait status and
the number of changes that it saw.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from fleetdesk.workflows.run import run_workbook

RISKY = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir")
LINK = os.link


def main() -> None:
    for line in sys.stdin:
        path, at, copies = line.rstrip("\n").split("\t")
        reading, writing = os.pipe()
        victim = os.fork()
        if victim == 0:
            _run(Path(path), int(at), copies, writing)
        os.close(writing)
        _, status = os.waitpid(victim, 0)
        with os.fdopen(reading) as pipe:
            seen = pipe.read().count(".")
        print(os.waitstatus_to_exitcode(status), seen, flush=True)


def _run(path: Path, at: int, copies: str, told: int) -> None:
    count, copying = 0, False

    def risky(act: Any) -> Any:
        def before(*args: Any, **kwargs: Any) -> Any:
            nonlocal count, copying
            if copying:
                return act(*args, **kwargs)
            count += 1
            os.write(told, b".")
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
            if copies:
                copying = True
                shutil.copytree(path.parent, Path(copies) / str(count), copy_function=_kept)
                copying = False
            return act(*args, **kwargs)

        return before

    for name in RISKY:
        setattr(os, name, risky(getattr(os, name)))
    try:
        run_workbook(path)
    except BaseException as error:  # noqa: BLE001 - a victim must never return
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def _kept(source: str, target: str) -> None:
    """The records are never written again, only removed: their copies may share the bytes."""
    if source.endswith(".parquet"):
        LINK(source, target)
    else:
        shutil.copy2(source, target)


if __name__ == "__main__":
    main()
