"""Where the city's people go: named places with rough positions, and the shore of the gulf."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleetdesk.simulation.streams import Floats


class Kind(StrEnum):
    """What draws people to a place; decides when they come and leave."""

    CENTRE = "centre"
    SHORE = "shore"
    CAMPUS = "campus"
    STATION = "station"
    SUBURB = "suburb"


class Place(NamedTuple):
    """A place: degrees WGS84, to about 100 m, and how strongly it draws trips."""

    name: str
    lat: float
    lon: float
    kind: Kind
    pull: float


_C, _W, _U, _T, _S = Kind.CENTRE, Kind.SHORE, Kind.CAMPUS, Kind.STATION, Kind.SUBURB

# Ordered by importance: a city of n parkings uses the first n.
PLACES: tuple[Place, ...] = (
    Place("Plateia Aristotelous", 40.6325, 22.9412, _C, 3.2),
    Place("Lefkos Pyrgos", 40.6270, 22.9492, _W, 3.0),
    Place("Kamara", 40.6322, 22.9518, _C, 2.6),
    Place("Panepistimio, Kentriki Vivliothiki", 40.6318, 22.9575, _U, 2.8),
    Place("Neos Sidirodromikos Stathmos", 40.6444, 22.9294, _T, 2.4),
    Place("Ladadika", 40.6352, 22.9372, _C, 2.2),
    Place("Agia Sofia", 40.6330, 22.9468, _C, 2.2),
    Place("Megaro Mousikis", 40.5992, 22.9492, _W, 1.6),
    Place("Plateia Dimokratias (Vardaris)", 40.6405, 22.9352, _T, 1.9),
    Place("Limani, Apothiki 1", 40.6348, 22.9352, _W, 1.8),
    Place("Navarinou", 40.6306, 22.9488, _C, 1.9),
    Place("Polytechniki Scholi", 40.6268, 22.9595, _U, 1.9),
    Place("DETH - Helexpo", 40.6282, 22.9552, _C, 1.6),
    Place("Nea Paralia, Omprelles", 40.6218, 22.9524, _W, 2.0),
    Place("Analipsi", 40.6105, 22.9545, _S, 1.5),
    Place("Plateia Kalamarias", 40.5822, 22.9512, _S, 1.7),
    Place("Toumpa, Gipedo PAOK", 40.6138, 22.9728, _S, 1.4),
    Place("Charilaou", 40.6012, 22.9735, _S, 1.5),
    Place("Evosmos, Dimarcheio", 40.6692, 22.9085, _S, 1.2),
    Place("Ampelokipoi", 40.6548, 22.9225, _S, 1.2),
    Place("Rotonda", 40.6334, 22.9530, _C, 1.7),
    Place("Tsimiski / Venizelou", 40.6345, 22.9408, _C, 1.9),
    Place("Agios Dimitrios", 40.6388, 22.9478, _C, 1.5),
    Place("Martiou 25is", 40.6018, 22.9585, _S, 1.3),
    Place("Aretsou, Marina", 40.5758, 22.9442, _W, 1.3),
    Place("Faliro", 40.6182, 22.9545, _S, 1.3),
    Place("Depot", 40.6048, 22.9532, _S, 1.1),
    Place("Fleming", 40.6082, 22.9575, _S, 1.0),
    Place("Voulgari", 40.6065, 22.9672, _S, 1.1),
    Place("Papafi", 40.6202, 22.9655, _S, 1.1),
    Place("Nea Elvetia", 40.5972, 22.9752, _S, 1.0),
    Place("Ippokrateio", 40.6125, 22.9598, _S, 1.1),
    Place("Kaftanzoglio", 40.6285, 22.9625, _U, 1.1),
    Place("Saranta Ekklisies", 40.6332, 22.9652, _U, 1.2),
    Place("Iatriki Scholi", 40.6292, 22.9582, _U, 1.4),
    Place("Mousio Vyzantinou Politismou", 40.6238, 22.9548, _C, 1.2),
    Place("XANTH", 40.6262, 22.9520, _C, 1.5),
    Place("Kapani", 40.6362, 22.9432, _C, 1.4),
    Place("Plateia Athonos", 40.6338, 22.9442, _C, 1.3),
    Place("Bit Pazar", 40.6370, 22.9455, _C, 1.1),
    Place("Ano Poli, Tsinari", 40.6432, 22.9472, _S, 0.7),
    Place("Eptapyrgio", 40.6442, 22.9622, _S, 0.5),
    Place("Sykies", 40.6468, 22.9508, _S, 0.8),
    Place("Neapoli", 40.6525, 22.9428, _S, 0.9),
    Place("Stavroupoli", 40.6632, 22.9335, _S, 0.9),
    Place("Xirokrini", 40.6478, 22.9268, _S, 0.8),
    Place("Menemeni", 40.6555, 22.9088, _S, 0.7),
    Place("Dikastiria", 40.6420, 22.9318, _T, 1.3),
    Place("KTEL Makedonia", 40.6540, 22.9045, _T, 1.0),
    Place("Botsari", 40.6088, 22.9512, _S, 1.0),
    Place("Efkleidi", 40.6168, 22.9588, _S, 1.0),
    Place("Patrikiou", 40.6005, 22.9668, _S, 0.8),
    Place("Panorma Toumpas", 40.6182, 22.9782, _S, 0.7),
    Place("Kato Toumpa", 40.6098, 22.9692, _S, 0.9),
    Place("Triandria", 40.6242, 22.9742, _S, 0.8),
    Place("Malakopi", 40.6052, 22.9788, _S, 0.7),
    Place("Pylaia, Dimarcheio", 40.5988, 22.9878, _S, 0.8),
    Place("Karampournaki", 40.5862, 22.9452, _W, 0.9),
    Place("Nea Krini", 40.5708, 22.9498, _W, 0.9),
    Place("Kalamaria, Stratopedo Kodra", 40.5852, 22.9485, _W, 0.7),
    Place("Vyzantio", 40.5868, 22.9635, _S, 0.7),
    Place("Finikas", 40.5802, 22.9632, _S, 0.7),
    Place("Poseidonio", 40.5962, 22.9488, _W, 1.0),
    Place("Kipos Mesogeiou", 40.6152, 22.9528, _W, 1.1),
    Place("Plateia Eleftherias", 40.6350, 22.9390, _C, 1.3),
    Place("Egnatia / Antigonidon", 40.6388, 22.9378, _C, 1.3),
    Place("Polichni", 40.6612, 22.9452, _S, 0.6),
    Place("Omonoia, Kalamaria", 40.5892, 22.9552, _S, 0.7),
    Place("Agia Triada", 40.6202, 22.9562, _S, 0.9),
    Place("Sfageia", 40.6422, 22.9172, _S, 0.5),
    Place("Metagogiko Kentro", 40.6470, 22.9180, _S, 0.5),
    Place("Plateia Dimarchiou, Sykies", 40.6492, 22.9548, _S, 0.6),
)  # fmt: skip

# The shore from south to north; the gulf lies to its west. North of it all is land.
_SHORE_LAT = (40.560, 40.570, 40.576, 40.584, 40.590, 40.600, 40.612, 40.620, 40.6255,
              40.6290, 40.6325, 40.6345, 40.6365, 40.6400)  # fmt: skip
_SHORE_LON = (22.955, 22.948, 22.9428, 22.9400, 22.9455, 22.9478, 22.9495, 22.9510, 22.9485,
              22.9440, 22.9385, 22.9340, 22.9220, 22.9000)  # fmt: skip


def shore_lon(lat: Floats) -> Floats:
    """The longitude of the shore at a latitude; -180 where there is no sea at all."""
    lon = np.interp(lat, _SHORE_LAT, _SHORE_LON)
    return np.asarray(np.where(lat > _SHORE_LAT[-1], -180.0, lon), dtype=np.float64)


def on_land(lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """Whether each point is ashore."""
    return np.asarray(lon >= shore_lon(lat), dtype=np.bool_)
