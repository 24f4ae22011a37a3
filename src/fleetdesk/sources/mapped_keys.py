"""Keys of rows: made from what a row says where it has none, and remembered to find repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
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


def row_hashes(texts: list[str]) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each text, the same on every computer and in every run."""
    digests = [hashlib.blake2b(t.encode(), digest_size=8).digest() for t in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _hashed(column: Any) -> npt.NDArray[np.uint64]:
    if pa.types.is_timestamp(column.type):
        return _mixed(np.asarray(column.cast(pa.int64())).astype(np.uint64))
    coded = column.dictionary_encode(null_encoding="encode")
    texts = ["" if text is None else text for text in coded.dictionary.to_pylist()]
    return np.asarray(row_hashes(texts)[np.asarray(coded.indices)])


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Numbers spread over 64 bits (the finalizer of splitmix64; Steele et al. 2014)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
