"""Weather by the hour: the seasons of Thessaloniki with spells of rain and wind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleetdesk.simulation.city import CitySpec
from fleetdesk.simulation.streams import Floats, Purpose, normals, stream


@dataclass(frozen=True)
class Weather:
    """Per hour since the start: C, mm in the hour, km/h, and the factor on demand."""

    temperature_c: Floats
    rain_mm: Floats
    wind_kmh: Floats
    demand_factor: Floats


def simulate_weather(spec: CitySpec, seed: int, days: int) -> Weather:
    """First-order autoregressions around season and time of day; rain in spells.

    The first days do not depend on how many days are asked for.
    """
    hours = days * 24
    uniform = stream(seed, Purpose.WEATHER).random((hours, 6))
    calm, gusty = normals(uniform[:, 0], uniform[:, 1])
    temperature, rain, wind = np.empty(hours), np.zeros(hours), np.empty(hours)
    warm, breeze, wet = 0.0, 0.0, False
    for hour in range(hours):
        moment = spec.starts_at + timedelta(hours=hour)
        year = 2 * math.pi * (moment.timetuple().tm_yday - 15) / 365.25
        day = 2 * math.pi * (moment.hour - 12.5) / 24
        warm = 0.97 * warm + 0.6 * calm[hour]
        breeze = 0.93 * breeze + 0.25 * gusty[hour]
        # A spell lasts four hours on average; winters have twice as many as summers.
        starts = 0.010 + 0.005 * math.cos(year)
        wet = uniform[hour, 2] > 0.25 if wet else uniform[hour, 2] < starts
        if wet:
            rain[hour] = -1.6 * math.log1p(-uniform[hour, 3])
        temperature[hour] = 16.2 - 10.5 * math.cos(year) + 4.5 * math.cos(day) + warm - 2.0 * wet
        wind[hour] = 9.0 * math.exp(breeze)
    return Weather(
        temperature.round(1),
        rain.round(1),
        wind.round(1),
        _demand_factor(spec, temperature, rain, wind),
    )


def _demand_factor(spec: CitySpec, temperature: Floats, rain: Floats, wind: Floats) -> Floats:
    comfort = -(((temperature - 23.0) / 22.0) ** 2)
    log_factor = comfort - 0.35 * np.minimum(rain, 4.0) - 0.012 * np.maximum(wind - 18.0, 0.0)
    return np.asarray(np.exp(spec.weather_effect * log_factor))
