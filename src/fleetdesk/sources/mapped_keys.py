"""Keys of rows: made from what a row says where it has none, and remembered to find repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.sources.parsing import Mask

_BYTES = 12
_SEPARATOR = "\x1f"
_WITHOUT = ("rider_id",)  # an id must not carry what the door takes away


def made_keys(columns: Mapping[str, Any], rows: int) -> pa.Array:
    """An id for each row, the same for the same content whichever file and place it comes from."""
    names = [name for name in sorted(columns) if name not in _WITHOUT]
    if not names:
        return pa.nulls(rows, pa.string())
    texts = [pc.fill_null(columns[name].cast(pa.string()), "") for name in names]
    labelled = [pc.binary_join_element_wise(name, text, "=")
                for name, text in zip(names, texts, strict=True)]  # fmt: skip
    whole = pc.binary_join_element_wise(*labelled, _SEPARATOR)
    return pa.array(
        [hashlib.blake2b(t.encode(), digest_size=_BYTES).hexdigest() for t in whole.to_pylist()],
        pa.string(),
    )


class SeenKeys:
    """Remembers keys as 64-bit hashes in sorted runs, which are merged as they grow."""

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.uint64]] = []

    def again(self, columns: list[Any]) -> Mask:
        """Which of these rows have a key that came before, in this piece or an earlier one."""
        rows = len(columns[0])
        hashes = np.zeros(rows, dtype=np.uint64)
        for column in columns:
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + _hashed(column)
        fresh, first = np.unique(hashes, return_index=True)
        known = np.zeros(len(fresh), dtype=bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, fresh), len(run) - 1)
            known |= run[places] == fresh
        again = np.ones(rows, dtype=bool)
        again[first[~known]] = False
        self._keep(fresh[~known])
        return again

    def _keep(self, fresh: npt.NDArray[np.uint64]) -> None:
        if not len(fresh):
            return
        self._runs.append(fresh)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]), kind="stable")


def _hashed(column: Any) -> npt.NDArray[np.uint64]:
    if pa.types.is_timestamp(column.type):
        numbers = np.asarray(column.cast(pa.int64()))
        return np.asarray(pd.util.hash_array(numbers), dtype=np.uint64)
    coded = column.dictionary_encode()
    texts = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    hashes = np.asarray(pd.util.hash_array(texts, categorize=False), dtype=np.uint64)
    return np.asarray(hashes[np.asarray(coded.indices)])
