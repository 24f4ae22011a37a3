"""A process to be killed: loads everything once, then forks a fresh victim for each order.

Orders come as lines on stdin: the workbook's path and the number of the change of the disk before
which the victim kills itself (0 = never). Each is answered by the victim's wait status and the
number of changes that it saw.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from fleetdesk.workflows.run import run_workbook

RISKY = ("fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir")


def main() -> None:
    for line in sys.stdin:
        path, at = line.rstrip("\n").rsplit("\t", 1)
        reading, writing = os.pipe()
        victim = os.fork()
        if victim == 0:
            _run(Path(path), int(at), writing)
        os.close(writing)
        _, status = os.waitpid(victim, 0)
        with os.fdopen(reading) as pipe:
            seen = pipe.read().count(".")
        print(os.waitstatus_to_exitcode(status), seen, flush=True)


def _run(path: Path, at: int, told: int) -> None:
    count = 0

    def risky(act: Any) -> Any:
        def before(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            os.write(told, b".")
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
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


if __name__ == "__main__":
    main()
