"""Small tables are worked on by one thread: more of them would mostly wait for each other."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_SMALL = 50_000
_PIECE = 10_000
"""Rows of some forty columns that stay in a processor's cache while all trees look at them."""


def fit_for(rows: int) -> AbstractContextManager[object]:
    """Hold numerical libraries to one thread while a small table is worked on."""
    return _pools().limit(limits=1) if rows < _SMALL else nullcontext()


def in_pieces(
    answer: Callable[[pd.DataFrame], NDArray[np.float64]], frame: pd.DataFrame
) -> NDArray[np.float64]:
    """What `answer` says of each row, asked for pieces of the frame that have one thread each.

    Threads that share a piece wait for each other after every tree; on a computer with other work
    to do that costs four times the processor's time.
    """
    with _pools().limit(limits=1):
        if len(frame) <= _PIECE:
            return answer(frame)
        pieces = [frame.iloc[at : at + _PIECE] for at in range(0, len(frame), _PIECE)]
        # OpenMP keeps its limit by thread, so each thread sets its own.
        with ThreadPoolExecutor(os.cpu_count(), initializer=_alone) as pool:
            return np.concatenate(list(pool.map(answer, pieces)))


def _alone() -> None:
    _pools().limit(limits=1, user_api="openmp")


@cache
def _pools() -> ThreadpoolController:
    # To look for them takes longer than to score a rider.
    return ThreadpoolController()
