"""How many vehicles stand at each parking, and which vehicle goes to which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from fleetdesk.features.cells import Floats, haversine
from fleetdesk.model.fleet import VehicleNow
from fleetdesk.model.places import Parking


@dataclass(frozen=True)
class Stock:
    """How many vehicles stand at each parking, and how many are expected with those on the way."""

    parkings: Mapping[str, Parking]
    present: Mapping[str, int]
    expected: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, parkings: Sequence[Parking], fleet: Iterable[VehicleNow]) -> Stock:
        """The parkings with the vehicles that stand there."""
        by_id = {parking.parking_id: parking for parking in parkings}
        present = dict.fromkeys(by_id, 0)
        for vehicle in fleet:
            if vehicle.parking_id in present:
                present[vehicle.parking_id] += 1
        return cls(by_id, present, dict(present))

    def short_slots(self) -> list[Parking]:
        """One entry per vehicle that a parking lacks to its minimum."""
        return self._slots(lambda parking: min(parking.minimum, parking.capacity))

    def free_slots(self) -> list[Parking]:
        """One entry per vehicle that still fits."""
        return self._slots(lambda parking: parking.capacity)

    def surplus(self, parking_id: str) -> int:
        """How many vehicles stand there above target and minimum."""
        parking = self.parkings[parking_id]
        return self.present[parking_id] - max(parking.target, parking.minimum)

    def excess(self, parking_id: str) -> int:
        """How many vehicles stand there above the capacity."""
        return self.present[parking_id] - self.parkings[parking_id].capacity

    def send(self, parking_id: str) -> None:
        """One more is on its way there."""
        self.expected[parking_id] += 1

    def _slots(self, up_to: Callable[[Parking], int]) -> list[Parking]:
        return [
            parking
            for parking in self.parkings.values()
            for _ in range(up_to(parking) - self.expected[parking.parking_id])
        ]


def distances_m(fleet: Sequence[VehicleNow], parkings: Sequence[Parking]) -> Floats:
    """Great-circle metres, vehicles x parkings."""
    lats = np.array([vehicle.at.lat for vehicle in fleet])
    lons = np.array([vehicle.at.lon for vehicle in fleet])
    to_lats = np.array([parking.at.lat for parking in parkings])
    to_lons = np.array([parking.at.lon for parking in parkings])
    return haversine(lats[:, None], lons[:, None], to_lats, to_lons)


def paired(
    fleet: Sequence[VehicleNow], slots: Sequence[Parking], limit_m: float
) -> list[tuple[int, int]]:
    """Vehicle and slot by index, so that the summed distance is least (Hungarian method).

    None goes farther than `limit_m`, nor to the parking where it stands.
    """
    if not fleet or not slots:
        return []
    distance = distances_m(fleet, slots)
    at_home = np.array([[v.parking_id == p.parking_id for p in slots] for v in fleet])
    illegal = (distance > limit_m) | at_home
    # A pair that is not allowed costs more than all legal ones together, so it is used last.
    beyond = limit_m * (len(fleet) + len(slots) + 1)
    rows, columns = linear_sum_assignment(np.where(illegal, beyond, distance))
    return [
        (row, column)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if not illegal[row, column]
    ]
