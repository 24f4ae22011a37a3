"""`fleetdesk backup` and `fleetdesk restore`: a whole workspace in one file, and back.

The file is a zip with a list of its contents and their checksums. Keys and passwords are never in
it: the key of rider ids stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fleetdesk import __version__
from fleetdesk.errors import FleetDeskError, StoreUnusable
from fleetdesk.store import archive
from fleetdesk.store.base import RunState
from fleetdesk.store.duckdb_store import DuckDbStore, open_store
from fleetdesk.workflows.context import (
    OUTPUTS_FOLDER,
    RAW_FOLDER,
    STORE_ADDRESS,
    STORE_FOLDER,
    Clock,
    store_of,
    utc_now,
)
from fleetdesk.workflows.disk import in_words
from fleetdesk.workflows.mail_log import LOG_NAME
from fleetdesk.workflows.progress import OnProgress, silent
from fleetdesk.workflows.schedule import JOBS_FILE, SCHEDULE_FOLDER

LIST = "fleetdesk-backup.json"
FORMAT = 1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What zipfile raises on cut, damaged, oddly packed and encrypted files."""
_PACKED_ALREADY = {".parquet", ".xlsx", ".xlsm", ".gz", ".zip", ".png"}
_CHUNK = 1 << 20
_LONGEST_LIST = 200 * 2**20


@dataclass(frozen=True)
class BackupResult:
    """What a backup or restore moved; sizes in bytes."""

    folder: Path
    file: Path
    files: int
    size: int
    text: str

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        return {
            "workspace": str(self.folder), "file": str(self.file), "files": self.files,
            "bytes": self.size, "text": self.text,
        }  # fmt: skip


def back_up(
    folder: Path, file: Path, *, clock: Clock = utc_now, on_progress: OnProgress = silent
) -> BackupResult:
    """Write the workspace as it is now into one new file; others may go on reading and importing.

    Only a run has to wait, while the ledger and the workbook are copied.
    """
    if file.exists():
        raise FleetDeskError(
            f"There is already a file {file.name}", found=str(file), fix="Choose another name"
        )
    with store_of(folder, clock=clock) as store, tempfile.TemporaryDirectory() as aside:
        if not isinstance(store, DuckDbStore):
            raise StoreUnusable(
                "The records of this workspace lie in a shared database",
                found=store.capabilities().kind,
                fix="Back that database up with its own means, such as pg_dump",
            )
        copied = Path(aside)
        with store.runs.lock(clock()):
            members = dict(_members(folder, store, copied))
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        try:
            size = _write(draft, members, store.generation, clock, on_progress)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    text = f"Backed up {len(members)} files, {in_words(size)}, into {file}"
    return BackupResult(folder, file, len(members), size, text)


def restore(file: Path, folder: Path, *, on_progress: OnProgress = silent) -> BackupResult:
    """Make a workspace in a new or empty folder from a backup; checked whole before it appears."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FleetDeskError(
            f"{folder} is not an empty folder", fix="Name a new folder to restore into"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder.parent) as aside:
        draft = Path(aside) / "workspace"
        draft.mkdir()
        try:
            with zipfile.ZipFile(file) as pack:
                listed = _listed(pack, file)
                _check_room(listed, folder.parent)
                _unpack(pack, listed, draft, file, on_progress)
        except _BROKEN as trouble:
            raise _no_backup(file, str(trouble)) from trouble
        except FileNotFoundError as trouble:
            if Path(trouble.filename or "") != file:
                raise
            raise FleetDeskError(f"There is no file {file}", fix="Check the path") from trouble
        (draft / STORE_FOLDER / "runs").mkdir(exist_ok=True)
        on_progress("Checking the records", 0.95)
        with open_store(draft / STORE_FOLDER) as store:
            store.verify()
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    size = sum(entry["size"] for entry in listed.values())
    text = f"Restored {len(listed)} files, {in_words(size)}, into {folder}"
    return BackupResult(folder, file, len(listed), size, text)


def _members(folder: Path, store: DuckDbStore, aside: Path) -> Iterator[tuple[str, Path]]:
    """Name in the backup -> file; what may change meanwhile is copied aside."""
    ledger = aside / "ledger"
    ledger.mkdir()
    archive.copy_ledger(store, ledger)
    for path in sorted(ledger.iterdir()):
        yield f"{STORE_FOLDER}/{path.name}", path
    finished = {run.run_id for run in store.runs.list() if run.state is RunState.FINISHED}
    fixed = archive.generation_files(store)
    for run_id in sorted(finished):
        fixed += sorted((folder / STORE_FOLDER / "runs" / run_id).glob("*.parquet"))
        fixed += _below(folder / OUTPUTS_FOLDER / run_id)
    fixed += [path for name in (RAW_FOLDER, "backups") for path in _below(folder / name)]
    for path in fixed:
        yield path.relative_to(folder).as_posix(), path
    changing = [
        path for path in sorted(folder.iterdir())
        if path.name[0] not in "~." and path.suffix != ".zip" and not path.is_symlink()
    ]  # fmt: skip
    changing += [folder / SCHEDULE_FOLDER / JOBS_FILE, folder / STORE_FOLDER / STORE_ADDRESS]
    # Without it, a restored workspace would mail routes again that are with the workers.
    changing.append(folder / OUTPUTS_FOLDER / LOG_NAME)
    for number, path in enumerate(changing):
        if path.is_file():
            shutil.copy2(path, aside / str(number))
            yield path.relative_to(folder).as_posix(), aside / str(number)


def _below(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix != ".tmp"
    ]  # fmt: skip


def _write(
    draft: Path, members: Mapping[str, Path], generation: str, clock: Clock, on_progress: OnProgress
) -> int:
    listed: dict[str, dict[str, Any]] = {}
    whole = sum(path.stat().st_size for path in members.values()) or 1
    done = 0
    with draft.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
            for name, path in members.items():
                about = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
                packed = path.suffix in _PACKED_ALREADY
                about.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                digest, size = hashlib.sha256(), 0
                with path.open("rb") as source, pack.open(about, "w") as target:
                    while chunk := source.read(_CHUNK):
                        digest.update(chunk)
                        target.write(chunk)
                        size += len(chunk)
                listed[name] = {"size": size, "sha256": digest.hexdigest()}
                done += size
                on_progress("Packing", min(done / whole, 1.0))
            contents = {
                "format": FORMAT, "fleetdesk": __version__, "made_at": clock().isoformat(),
                "generation": generation, "files": listed,
            }  # fmt: skip
            pack.writestr(LIST, json.dumps(contents, indent=1))
        file.flush()
        os.fsync(file.fileno())
    return done


def _listed(pack: zipfile.ZipFile, file: Path) -> dict[str, dict[str, Any]]:
    """The list of contents; FleetDeskError unless it is one and the pack holds just that."""
    names = [about.filename for about in pack.infolist()]
    if LIST not in names:
        raise _no_backup(file, f"no {LIST} in it")
    if pack.getinfo(LIST).file_size > _LONGEST_LIST:
        raise _no_backup(file, "its list of contents is too long")
    try:
        contents = json.loads(pack.read(LIST))
        known = contents["format"] <= FORMAT
        listed = {
            str(name): {"size": int(entry["size"]), "sha256": str(entry["sha256"])}
            for name, entry in contents["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as trouble:
        raise _no_backup(file, "its list of contents cannot be read") from trouble
    if not known:
        raise FleetDeskError(
            "The backup was made by a newer FleetDesk",
            found=f"format {contents['format']}",
            fix="Update FleetDesk and restore again",
        )
    if sorted(names) != sorted([LIST, *listed]):
        raise _no_backup(file, "its contents are not those of its list")
    for about in pack.infolist():
        if not _is_inside(about.filename) or stat.S_ISLNK(about.external_attr >> 16):
            raise _no_backup(file, f"a file that would lie outside: {about.filename[:80]!r}")
    return listed


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    drive = len(name) > 1 and name[1] == ":"
    outside = name.startswith("/") or ".." in parts or drive
    return bool(parts) and not outside and not {"\\", "\0"} & set(name)


def _check_room(listed: Mapping[str, Mapping[str, Any]], where: Path) -> None:
    needed = sum(entry["size"] for entry in listed.values())
    free = shutil.disk_usage(where).free
    if needed > free:
        raise FleetDeskError(
            "There is not enough room to restore the backup",
            found=f"{in_words(needed)} needed, {in_words(free)} free",
            fix="Make room or name a folder on another disk",
        )


def _unpack(
    pack: zipfile.ZipFile,
    listed: Mapping[str, Mapping[str, Any]],
    draft: Path,
    file: Path,
    on_progress: OnProgress,
) -> None:
    for number, (name, entry) in enumerate(listed.items()):
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, left = hashlib.sha256(), entry["size"]
        with pack.open(name) as source, path.open("xb") as target:
            # One byte beyond the size is asked for, so that a longer one is noticed, not written.
            while chunk := source.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                target.write(chunk)
        if left or digest.hexdigest() != entry["sha256"]:
            raise _no_backup(file, f"{name} has other content than was backed up")
        on_progress("Unpacking", 0.9 * (number + 1) / len(listed))


def _no_backup(file: Path, found: str) -> FleetDeskError:
    return FleetDeskError(
        f"{file.name} is no whole backup of a FleetDesk workspace",
        found=found,
        fix="Copy the file again or take another backup; nothing was restored",
    )
