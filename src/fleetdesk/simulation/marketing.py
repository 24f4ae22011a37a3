"""What riders are offered, and how likely they say they are to recommend the service.

Neither changes how anybody rides: the extra margin of who took an offer stands with the offer.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fleetdesk.simulation.engine import City
from fleetdesk.simulation.records import arrow_table, moments, names
from fleetdesk.simulation.riders import DAY, Riders
from fleetdesk.simulation.streams import Purpose, normals, stream

SEGMENTS = ("Light", "Standard", "Premium")
"""Thirds of the riders, by how much they need to ride."""
OFFERS = ("none", "Free unlocks", "Ride pass")
DRAWN_SHARES = (0.4, 0.3, 0.3)
TAKEN_SHARES = (0.0, 0.55, 0.4)
GAINS = ((0.0, 2.5, -0.5), (0.0, -2.0, 5.0), (0.0, -9.0, -3.0))
"""What who takes an offer pays more in the 30 days after, less what it gives away: by segment."""
_USUAL_MARGIN = np.array([3.0, 8.0, 20.0])
_LAST_DAYS_AGO, _WAVES = 31, 9  # weekly, and early enough that the 30 days after are over
_ASKED_SHARE = 0.5
_KEEN_SHARE, _KEEN_DAYS = 1.4, 90
_RATING_SHARE_PER_DAY = 0.006


def offers_table(city: City) -> pa.Table:
    """Half of the riders who agreed to be written to got one offer, or none, drawn at random.

    Who signed up lately takes offers more often.
    """
    people = city.people
    u = stream(city.seed, Purpose.OFFERS).random((people.signed_up.size, 6))
    wave, hour = np.divmod(_WAVES * u[:, 0], 1.0)
    ago = (_LAST_DAYS_AGO + 7 * wave) * DAY + hour * 8 * 3600
    at = city.spec.length_s - ago.astype(np.int64)
    made = np.flatnonzero(people.consent & (people.signed_up < at) & (u[:, 1] < _ASKED_SHARE))
    made = made[np.argsort(at[made], kind="stable")]
    u, at, need = u[made], at[made], people.need
    segment = np.searchsorted(np.quantile(need, (1 / 3, 2 / 3)), need[made])
    offer = np.searchsorted(np.cumsum(DRAWN_SHARES)[:-1], u[:, 2])
    new = at - people.signed_up[made] < _KEEN_DAYS * DAY
    keen = np.where(new, _KEEN_SHARE, 2.0 - _KEEN_SHARE)
    taken = u[:, 3] < np.array(TAKEN_SHARES)[offer] * keen
    luck, _ = normals(u[:, 4], u[:, 5])
    usual = _USUAL_MARGIN[segment] * np.exp(0.5 * luck - 0.125)
    value = usual + np.where(taken, np.array(GAINS)[segment, offer], 0.0)
    return arrow_table(
        "offers_made",
        {
            "offer_made_id": names("o", 6, list(range(1, made.size + 1))),
            "rider_id": names("r", 5, made.tolist()),
            "offer": [OFFERS[number] for number in offer.tolist()],
            "segment": [SEGMENTS[number] for number in segment.tolist()],
            "offered_at": moments(city, at),
            "propensity": np.array(DRAWN_SHARES)[offer],
            "accepted": pa.array(taken, mask=offer == 0),
            "value": value.round(2),
        },
    )


def ratings_table(city: City, riders: Riders, day: int, end: int, first_id: int) -> pa.Table:
    """A day's answers: who complained lately or has cooled recommends less."""
    people = city.people
    u = stream(city.seed, Purpose.RATINGS, day).random((people.signed_up.size, 4))
    at = day * DAY + ((6 + 13 * u[:, 0]) * 3600).astype(np.int64)
    there = ~riders.left & (people.signed_up < at) & (at < end)
    told = np.flatnonzero(there & (u[:, 1] < _RATING_SHARE_PER_DAY))
    told = told[np.argsort(at[told], kind="stable")]
    mood, _ = normals(u[told, 2], u[told, 3])
    cooled = np.clip(1.0 - riders.activity[told], 0.0, 1.0)
    score = 8.9 + 1.7 * mood - 1.5 * np.minimum(riders.complaints[told], 3.0) - 4.0 * cooled
    return arrow_table(
        "ratings",
        {
            "rating_id": names("q", 6, list(range(first_id, first_id + told.size))),
            "rider_id": names("r", 5, told.tolist()),
            "rated_at": moments(city, at[told]),
            "score": np.clip(score.round(), 0, 10).astype(np.int64),
        },
    )
