"""Arrays kept on disk beside a road file, so that nothing is worked out of it twice."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np

MOST_KEPT = 50
_BROKEN = (
    OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, RuntimeError, BadZipFile,
    zlib.error, TokenError,
)  # fmt: skip


def keep(path: Path, arrays: Mapping[str, Any], most: int = MOST_KEPT) -> None:
    """Write arrays to an .npz file, whole or not at all; of its folder's the `most` newest stay.

    A full or closed disk costs time at the next run, and nothing else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, **arrays)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        kept = sorted(path.parent.glob("*.npz"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-most]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def read(path: Path, **kinds: str) -> tuple[Any, ...] | None:
    """The arrays of these names and kinds (numpy's letters, such as f for floating point).

    None where the file is not there, broken or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = tuple(file[name] for name in kinds)
    except _BROKEN:
        return None
    right = all(a.dtype.kind == kind for a, kind in zip(arrays, kinds.values(), strict=True))
    return arrays if right else None
