"""The riders: how much each rides, which package they hold, how they pay and why they leave.

Who leaves depends on what the records show: riding less than before, complaints, late payments and
tenure raise the hazard, and having brought in friends lowers it. Riders who came without a package,
or gave theirs up, may take one later because they ride much; it changes what they pay, never who
rides or what a trip costs, so that the fleet's records do not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.flows import Flows
from fleetdesk.simulation.log import ComplaintRow, Log, PaymentRow, SubscriptionRow
from fleetdesk.simulation.streams import Floats, Ints, Purpose, normals, stream

DAY = 86_400
MONTH = 30 * DAY
NO_PACKAGE = -1
CHANNELS = ("app store", "referral", "social media", "partner", "street")
AGE_GROUPS = ("18-24", "25-34", "35-44", "45-54", "55+")
_CHANNEL_SHARES = np.cumsum([0.34, 0.22, 0.2, 0.1])
_AGE_SHARES = np.cumsum([0.33, 0.34, 0.18, 0.1])
_HISTORY_DAYS = 540
_BASE_HAZARD_PER_DAY = 0.0005
_TAKEN_PER_DAY = 0.01


@dataclass(frozen=True)
class People:
    """What never changes about the riders; `by_home` lists them cell by cell."""

    signed_up: Ints
    home: Ints
    by_home: Ints
    home_first: Ints
    channel: Ints
    age_group: Ints
    consent: NDArray[np.bool_]
    referrals: Ints
    need: Floats
    late_share: Floats


@dataclass(frozen=True)
class Held:
    """The package that each rider holds (-1 = none), and since when."""

    package: Ints
    since: Ints


@dataclass
class Riders:
    """What changes: `activity` scales a rider's need; `first` are packages that lower trip prices.

    `later` are those that riders who pay per trip took later in life, paid for beside the trips.
    """

    activity: Floats
    declining: NDArray[np.bool_]
    first: Held
    left: NDArray[np.bool_]
    complaints: Floats
    late: Floats
    trips: Floats
    busy_until: list[int]
    later: Held
    subscriptions: dict[int, SubscriptionRow]
    ended: list[SubscriptionRow] = field(default_factory=list)
    running: Floats = field(default_factory=lambda: np.empty(0))
    price: list[tuple[float, float]] = field(default_factory=list)

    def choose(self, people: People, cell: int, draw: tuple[float, float], at: int) -> int:
        """Who sets out from a cell: half the time one who lives there, weighted by activity."""
        group, pick = draw
        low, high = 0.0, float(self.running[-1])
        if group < 0.5:
            first, after = int(people.home_first[cell]), int(people.home_first[cell + 1])
            below = float(self.running[first - 1]) if first else 0.0
            if after > first and self.running[after - 1] > below:
                low, high = below, float(self.running[after - 1])
        place = int(np.searchsorted(self.running, low + pick * (high - low), side="right"))
        size = len(self.busy_until)
        for step in range(size):
            rider = int(people.by_home[(place + step) % size])
            if self.busy_until[rider] <= at and (step == 0 or not self.left[rider]):
                return rider
        return int(people.by_home[place % size])


def make_people(spec: CitySpec, flows: Flows, seed: int) -> People:
    """Everyone who will ever ride, those who sign up during the simulated days included."""
    coming = round(spec.signups_per_day * spec.length_s / DAY)
    size = spec.riders + coming
    u = stream(seed, Purpose.RIDERS).random((size, 10))
    past = -(u[:, 0] ** 1.3 * _HISTORY_DAYS * DAY).astype(np.int64) - 1
    soon = (u[:, 0] * spec.length_s).astype(np.int64)
    signed_up = np.sort(np.where(np.arange(size) < spec.riders, past, soon))
    by_cell = np.cumsum(flows.base.sum(axis=(0, 1)))
    home = np.searchsorted(by_cell, u[:, 1] * by_cell[-1]).astype(np.int64)
    taste, _ = normals(u[:, 2], u[:, 3])
    by_home = np.argsort(home, kind="stable")
    cells = np.arange(flows.base.shape[2] + 1)
    return People(
        signed_up=signed_up,
        home=home,
        by_home=by_home,
        home_first=np.searchsorted(home[by_home], cells),
        channel=np.searchsorted(_CHANNEL_SHARES, u[:, 4]),
        age_group=np.searchsorted(_AGE_SHARES, u[:, 5]),
        consent=u[:, 6] < 0.86,
        referrals=np.floor(-0.55 * np.log1p(-u[:, 7]) / 0.7).astype(np.int64),
        need=np.exp(0.95 * taste),
        late_share=0.02 + 0.5 * u[:, 8] ** 4,
    )


def first_riders(spec: CitySpec, people: People, seed: int) -> Riders:
    """The riders at the start, with the packages they took up and gave up before."""
    size = people.signed_up.size
    u = stream(seed, Purpose.RIDERS, 1).random((size, 6))
    riders = Riders(
        activity=np.where(people.signed_up <= 0, 0.6 + 0.8 * u[:, 0], 0.0),
        declining=np.zeros(size, dtype=np.bool_),
        first=_none_held(size),
        left=people.signed_up > 0,
        complaints=np.zeros(size),
        late=np.zeros(size),
        trips=np.zeros(size),
        busy_until=[0] * size,
        later=_none_held(size),
        subscriptions={},
    )
    wants = u[:, 1] < spec.subscriber_share * 1.6 * people.need / (0.5 + people.need)
    for rider in np.flatnonzero(wants & (people.signed_up <= 0)).tolist():
        since = int(people.signed_up[rider] + u[rider, 2] ** 2 * 60 * DAY)
        until = int(since - np.log1p(-u[rider, 3]) * (12 + 3 * people.referrals[rider]) * MONTH)
        package = _fitting_package(spec, riders, people, rider, float(u[rider, 4]))
        if since >= 0:
            continue
        if until < 0:
            riders.ended.append(SubscriptionRow(rider, package, since, until, "cancelled"))
            riders.left[rider] = u[rider, 5] < 0.75
            riders.activity[rider] *= 0.35
        else:
            _subscribe(riders, riders.first, rider, package, since)
    # The trip counter starts where it would have settled.
    weight = _weights(riders, people)
    riders.trips = 30 * spec.demand_per_day * weight / weight.sum()
    return riders


def live_a_day(
    spec: CitySpec, people: People, riders: Riders, log: Log, seed: int, day: int
) -> None:
    """Midnight: riders come, warm or cool to riding, change packages, pay and leave."""
    now = day * DAY
    u = stream(seed, Purpose.RIDER_DAYS, day).random((people.signed_up.size, 7))
    _arrive(spec, people, riders, u, now, day)
    _change_habits(riders, u)
    _leave_or_change(spec, people, riders, u, now)
    _bill(spec, people, riders, log, u, now)
    _live_with_later_packages(spec, people, riders, log, seed, day)
    riders.trips *= 29 / 30
    riders.complaints *= 29 / 30
    riders.late *= 59 / 60
    weight = _weights(riders, people)[people.by_home]
    riders.running = np.cumsum(weight)
    prices = [(package.unlock, package.per_min) for package in spec.packages]
    prices.append((spec.unlock, spec.per_min))  # the place -1 that riders without a package have
    riders.price = [prices[package] for package in riders.first.package.tolist()]


def complain(
    spec: CitySpec, riders: Riders, log: Log, at: int, rider: int, vehicle: int, topic: str,
    patience: float,
) -> None:  # fmt: skip
    """A rider complains; settled within hours to some days, and remembered for a month."""
    resolved = at + int(3600 + patience**2 * 6 * DAY)
    known = resolved if resolved < spec.length_s else -1
    log.complaints.append(ComplaintRow(rider, vehicle, at, topic, known))
    riders.complaints[rider] += 1.0


def all_subscriptions(riders: Riders) -> list[SubscriptionRow]:
    """Ended and running ones by start."""
    return sorted([*riders.ended, *riders.subscriptions.values()], key=lambda s: (s.started, s[0]))


def leaving_hazard(people: People, riders: Riders, now: int) -> Floats:
    """The chance to leave within the day."""
    tenure = (now - people.signed_up) / MONTH
    early_or_stale = 1.0 + 0.9 * np.exp(-np.maximum(tenure, 0.0) / 2) + 0.5 * (tenure > 15)
    cooled = np.clip(1.0 - riders.activity, 0.0, 1.0)
    strain = 6.0 * cooled + 0.7 * riders.complaints + 0.9 * riders.late - 0.3 * people.referrals
    return np.asarray(np.minimum(0.25, _BASE_HAZARD_PER_DAY * early_or_stale * np.exp(strain)))


def _arrive(spec: CitySpec, people: People, riders: Riders, u: Floats, now: int, day: int) -> None:
    new = (people.signed_up > now - DAY) & (people.signed_up <= now) & (day > 0)
    riders.left[new] = False
    riders.activity[new] = 0.8 + 0.6 * u[new, 0]
    joins = new & (u[:, 1] < spec.subscriber_share)
    for rider in np.flatnonzero(joins).tolist():
        package = _fitting_package(spec, riders, people, rider, float(u[rider, 2]))
        _subscribe(riders, riders.first, rider, package, now)


def _change_habits(riders: Riders, u: Floats) -> None:
    """Now and then a rider starts to cool for weeks, and some of those warm again."""
    riders.declining |= (u[:, 3] < 0.006) & ~riders.left
    riders.declining &= u[:, 3] < 0.97
    drift = np.where(riders.declining, 0.93, 1.0 + 0.02 * (1.0 - riders.activity))
    riders.activity = np.where(riders.left, 0.0, riders.activity * drift)


def _leave_or_change(spec: CitySpec, people: People, riders: Riders, u: Floats, now: int) -> None:
    leaving = (u[:, 4] < leaving_hazard(people, riders, now)) & ~riders.left
    for rider in np.flatnonzero(leaving).tolist():
        subscribed = int(riders.first.package[rider]) != NO_PACKAGE
        if subscribed:
            _end(riders, riders.first, rider, now, "cancelled")
        # A quarter of those who cancel still ride now and then, paying per trip.
        riders.left[rider] = not subscribed or u[rider, 5] < 0.75
        riders.activity[rider] *= 0.0 if riders.left[rider] else 0.4
    fits = _level(spec, riders.trips)
    settled = (riders.first.package != NO_PACKAGE) & (now - riders.first.since > MONTH)
    up = settled & (fits > riders.first.package) & (u[:, 5] > 0.965)
    down = settled & (fits < riders.first.package) & (u[:, 5] > 0.985)
    for rider in np.flatnonzero(up | down).tolist():
        step = 1 if up[rider] else -1
        package = int(riders.first.package[rider]) + step
        _end(riders, riders.first, rider, now, "upgraded" if step > 0 else "downgraded")
        _subscribe(riders, riders.first, rider, package, now)


def _bill(spec: CitySpec, people: People, riders: Riders, log: Log, u: Floats, now: int) -> None:
    """A package is due on its first day and every 30 days; some pay late, a few never."""
    late = _charge(spec, people, riders, log, riders.first, u[:, (0, 6)], now)
    riders.late[late] += 1.0


def _charge(
    spec: CitySpec, people: People, riders: Riders, log: Log, held: Held, u: Floats, now: int
) -> list[int]:
    """Enter the day's payments for the packages that are held; tells who will pay late."""
    paying = np.flatnonzero(held.package != NO_PACKAGE)
    since = held.since[paying]
    passed = (now - since) // MONTH * MONTH + since
    due = np.where(passed < now, passed + MONTH, passed)
    billed = due < min(now + DAY, spec.length_s)
    behind = []
    for rider, due_at in zip(paying[billed].tolist(), due[billed].tolist(), strict=True):
        late_chance = people.late_share[rider] + 0.25 * max(0.0, 1.0 - riders.activity[rider])
        late = u[rider, 1] < late_chance
        share = float(u[rider, 1] / late_chance) if late else float(u[rider, 0])
        paid = due_at + int((3 + 40 * share) * DAY if late else 60 + share * 3600)
        if late:
            behind.append(rider)
        unpaid = (late and share > 0.93) or paid >= spec.length_s
        price = spec.packages[int(held.package[rider])].monthly_price
        log.payments.append(PaymentRow(rider, due_at, -1 if unpaid else paid, price, "package"))
    return behind


def _live_with_later_packages(
    spec: CitySpec, people: People, riders: Riders, log: Log, seed: int, day: int
) -> None:
    """Who rides much takes a package, changes it as riding changes, and drops it on cooling.

    Numbers of its own, and nothing that rides, leaving or trips' prices depend on: records of the
    fleet are the same with and without.
    """
    now = day * DAY
    u = stream(seed, Purpose.RIDER_DAYS, day, 1).random((people.signed_up.size, 5))
    held = riders.later.package != NO_PACKAGE
    drops = u[:, 0] < leaving_hazard(people, riders, now)
    for rider in np.flatnonzero(held & (drops | riders.left)).tolist():
        _end(riders, riders.later, rider, now, "cancelled")
    settled = (riders.later.package != NO_PACKAGE) & (now - riders.later.since > MONTH)
    step = np.sign(_level(spec, riders.trips) - riders.later.package)
    for rider in np.flatnonzero(settled & (step != 0) & (u[:, 0] > 0.97)).tolist():
        package = int(riders.later.package[rider] + step[rider])
        _end(riders, riders.later, rider, now, "upgraded" if step[rider] > 0 else "downgraded")
        _subscribe(riders, riders.later, rider, package, now)
    free = ~riders.left & ~held & (riders.first.package == NO_PACKAGE) & (day > 0)
    cooled = np.clip(1.0 - riders.activity, 0.0, 1.0)
    keen = riders.trips / (riders.trips + 10.0) * np.exp(-3.0 * cooled - 0.7 * riders.complaints)
    takes = free & (u[:, 1] < _TAKEN_PER_DAY * keen)
    guess = _level(spec, riders.trips * 2.0 ** (u[:, 2] - 0.5))
    for rider in np.flatnonzero(takes).tolist():
        _subscribe(riders, riders.later, rider, int(guess[rider]), now)
    _charge(spec, people, riders, log, riders.later, u[:, 3:], now)


def _weights(riders: Riders, people: People) -> Floats:
    keen = np.where(riders.first.package == NO_PACKAGE, 1.0, 1.5)
    return np.where(riders.left, 1e-12, people.need * riders.activity * keen)


def _fitting_package(
    spec: CitySpec, riders: Riders, people: People, rider: int, uniform: float
) -> int:
    """Mostly the package that suits the rider's need, sometimes one that does not."""
    mean = 30 * spec.demand_per_day / max(1, int((~riders.left).sum()))
    guess = mean * float(people.need[rider]) * 0.8 * 3.0 ** (uniform - 0.5)
    return int(_level(spec, np.array([guess]))[0])


def _level(spec: CitySpec, trips: Floats) -> Ints:
    """The package that suits so many trips a month."""
    bounds = [package.trips_upto for package in spec.packages]
    return np.searchsorted(bounds, trips).astype(np.int64)


def _none_held(size: int) -> Held:
    return Held(np.full(size, NO_PACKAGE), np.zeros(size, dtype=np.int64))


def _subscribe(riders: Riders, held: Held, rider: int, package: int, since: int) -> None:
    held.package[rider] = package
    held.since[rider] = since
    riders.subscriptions[rider] = SubscriptionRow(rider, package, since, None, None)


def _end(riders: Riders, held: Held, rider: int, now: int, cause: str) -> None:
    riders.ended.append(riders.subscriptions.pop(rider)._replace(ended=now, cause=cause))
    held.package[rider] = NO_PACKAGE
