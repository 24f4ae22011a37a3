"""The published lifetime value, and a public history of purchases fitted and foretold.

The purchases become trips with a price: the features and the fit are those of riders.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from _bar import bar, near

UNTIL, WEEKS = datetime(1997, 9, 30, tzinfo=UTC), 39.0
NAMES = ("master", "rider_id", "date", "units", "revenue")


def figures(data: Path, _seed: int) -> Iterator[dict[str, Any]]:
    """JSON lines."""
    from fleetdesk.riders.lifetime_value import present_value

    staying = 0.95 ** np.arange(600)[None, :]
    value = present_value(np.array([800.0]), staying, 10.0)[0]
    yield near("lifetime_value_example", round(float(value), 1), 13_909.0, 1.0)
    path = data / "customers/cdnow/CDNOW_sample.txt"
    if path.is_file():
        yield from _purchases(path)


def _purchases(path: Path) -> Iterator[dict[str, Any]]:
    from fleetdesk.features.stays import purchases
    from fleetdesk.riders.purchases import fit_bg_nbd, fit_gamma_gamma
    from fleetdesk.settings.schema import Settings

    trips = as_trips(path)
    history = purchases(ibis.memtable(trips), UNTIL, Settings()).to_pandas()
    law = fit_bg_nbd(history)
    yield near("bg_nbd_r", round(law.r, 4), 0.2426, 0.0005)
    yield near("bg_nbd_alpha", round(law.alpha, 3), 4.414, 0.005)
    yield near("bg_nbd_a", round(law.a, 3), 0.793, 0.002)
    yield near("bg_nbd_b", round(law.b, 3), 2.426, 0.005)
    yield near("bg_nbd_log_likelihood", round(law.log_likelihood, 1), -9582.4, 0.1)
    end = UNTIL.replace(tzinfo=None) + timedelta(weeks=WEEKS)
    later = trips[(trips.started_at > UNTIL.replace(tzinfo=None)) & (trips.started_at <= end)]
    days = later.drop_duplicates(["rider_id", "started_at"]).groupby("rider_id").size()
    came = days.reindex(history.rider_id).fillna(0).to_numpy()
    off = np.abs(law.expected(history, WEEKS) - came).mean()
    yield bar("holdout_mae", round(float(off), 5), 0.785, "lower", weeks=WEEKS)
    much = fit_gamma_gamma(history)
    yield {"figure": "gamma_gamma", "p": much.p, "q": much.q, "v": much.v}


def as_trips(path: Path) -> pd.DataFrame:
    """Each purchase as a trip with a price, at the start of its day."""
    rows = pd.read_csv(path, sep=r"\s+", header=None, names=NAMES, dtype={"rider_id": str})
    return pd.DataFrame(
        {
            "trip_id": "p" + rows.index.astype(str),
            "rider_id": rows.rider_id,
            "started_at": (bought := pd.to_datetime(rows.date.astype(str))),
            "ended_at": bought,
            "revenue": rows.revenue.astype(float),
            "distance_m": 0.0,
            "duration_s": 0.0,
        }
    )
