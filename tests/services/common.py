"""What every starter of a service needs: a free port, a folder, and to be somebody but root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

LOOPBACK = "127.0.0.1"
READY_S = 60.0


def program(name: str, *folders: str) -> str:
    """The full path of a service's program; the test skips where it is not installed."""
    places = [folder for pattern in folders for folder in sorted(map(str, Path("/").glob(pattern)))]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(reversed(places)))
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def free_port() -> int:
    """A port on the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def own_folder(user: str | None) -> Iterator[Path]:
    """A folder that belongs to `user`; short, because socket paths have at most 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="fd-"))
    try:
        if user:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def somebody(name: str) -> str | None:
    """Whom to start a service as that refuses root; None = as we are."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        return "nobody"
    return name


@contextmanager
def serving(
    command: Sequence[str],
    is_ready: Callable[[], bool],
    *,
    log: Path,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it is stopped by its pid."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **as_user(user))
    try:
        _wait(process, is_ready, command[0], log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def as_user(user: str | None) -> dict[str, object]:
    """Options of `subprocess` that start a program as this user."""
    if user is None:
        return {}
    import pwd

    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


def _wait(
    process: subprocess.Popen[bytes], is_ready: Callable[[], bool], name: str, log: Path
) -> None:
    until = time.monotonic() + READY_S
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{name} did not come up (exit {process.poll()}):\n{said}")
        time.sleep(0.05)
