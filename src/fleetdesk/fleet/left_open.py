"""What Method 2 leaves open about the vehicles it is asked about, drawn for its margins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleetdesk.fleet.battery_multiplier import PLENTY
from fleetdesk.fleet.counts import CLASSES, Counts
from fleetdesk.fleet.crowds import drawn_crowds
from fleetdesk.fleet.fine_cells import Neighbourhood
from fleetdesk.fleet.hourly_rates import Kappas, open_rates
from fleetdesk.fleet.rivals import Rivalry

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Classes of charge for which cells are drawn apart; from half a charge on values are read evenly
# between two draws.
_KNOTS = np.append(np.arange(PLENTY + 1), CLASSES - 1)
_LEAST_USE = 0.5  # of the mean: few vehicles cannot tell of one that uses next to nothing


@dataclass(frozen=True)
class Asked:
    """Scooters (N), each in one of the distinct states (A) of `place`, `cell` and `charge_class`
    (0 where states are not told apart by charge). `usual_crowd` (A,) is what their rates are
    multiplied by for those who stand around once those of now have gone.

    `row` (N,) says in which; times are in steps.
    """

    place: Ints
    cell: Ints
    charge_class: Ints
    usual_crowd: Floats
    row: Ints
    charge: Floats
    end: Floats
    steps: Floats


@dataclass(frozen=True)
class LeftOpen:
    """How far places, cells, charges and vehicles were seen to differ; `place_factors` (F,)."""

    counts: Counts
    around: Neighbourhood
    rivalry: Rivalry
    place_factors: Floats
    rate_kappas: Kappas
    charge_kappa: float
    usable_battery_pct: float
    fine: bool

    def drawn(self, asked: Asked, generator: np.random.Generator) -> tuple[Asked, Floats]:
        """The scooters as one draw has them, and what the rates of the states asked about may be
        times the estimated ones (A,).

        A place may differ from its cell, and so may how many vehicles stand near: two states of one
        place have both in common. What a charge is good for there is of its own for each class, as
        far as cells were seen to differ in that. Drawn for all places and cells there are, so that
        a state meets the same in whatever company it is asked about. A vehicle may use more or less
        than others, which is like having less or more charge; all states of a draw are those of one
        vehicle, so that draws tell of single tasks and not of their sum.
        """
        around, cells, places = self.around, len(self.counts.cells), len(self.counts.places)
        crowds = drawn_crowds(self.counts, self.rivalry, np.arange(cells), generator)
        sure = np.full(places + cells, around.cell_kappa)  # the cells for places never seen
        if self.fine:
            sure[:places] = around.place_kappa + around.expected.sum(axis=0) * self.place_factors
        spots = generator.gamma(sure) / sure
        kappa = self.charge_kappa
        charges = _at_knots(asked, generator.gamma(kappa, size=(_KNOTS.size, cells)) / kappa)
        apart = max(self.counts.use_apart, 1e-9)
        uses = max(generator.gamma(1 / apart) * apart, _LEAST_USE)
        spot = np.where((asked.place >= 0) & self.fine, asked.place, places + asked.cell)
        open_ = open_rates(self.counts.trips.sum(axis=0), self.rate_kappas)
        rates = generator.gamma(1 / open_) * open_
        local = spots[spot] * charges * rates[asked.cell]
        usable = self.usable_battery_pct
        left = usable + (asked.charge - usable) / uses  # above 100 for one that uses little
        drawn = replace(asked, charge=left, usual_crowd=crowds[asked.cell])
        return drawn, np.asarray(local)


def _at_knots(asked: Asked, drawn: Floats) -> Floats:
    """What is drawn (K, G) for each knot of charge, at the states asked about (A,)."""
    at = np.interp(asked.charge_class, _KNOTS, np.arange(_KNOTS.size))
    low = np.minimum(at.astype(np.int64), _KNOTS.size - 2)
    part = at - low
    return np.asarray((1 - part) * drawn[low, asked.cell] + part * drawn[low + 1, asked.cell])
