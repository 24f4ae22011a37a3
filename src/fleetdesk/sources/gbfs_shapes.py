"""The feeds of GBFS 1.0 to 3.1 as tables of fields, for one version at a time.

Source: MobilityData, General Bikeshare Feed Specification, versions 1.0 to 3.0 and 3.1-RC3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fleetdesk.sources.gbfs_checks import (
    MISSING,
    Check,
    Fault,
    a_list,
    an_object,
    by_name,
    day,
    email,
    fields,
    flag,
    items,
    language,
    localized,
    matching,
    multi_polygon,
    number,
    old_flag,
    one_of,
    posix,
    some_list,
    text,
    timezone,
    uri,
    written_time,
)

Version = tuple[int, int]
VERSIONS: dict[str, Version] = {
    "1.0": (1, 0), "1.1": (1, 1), "2.0": (2, 0), "2.1": (2, 1), "2.2": (2, 2), "2.3": (2, 3),
    "3.0": (3, 0), "3.1-RC3": (3, 1), "3.1": (3, 1),
}  # fmt: skip
LATEST = (3, 1)
V11, V20, V21, V22, V23, V30, V31 = (1, 1), (2, 0), (2, 1), (2, 2), (2, 3), (3, 0), (3, 1)

# Where the entries of each feed are; the others hold one entry, their `data`.
ENTRIES: dict[str, tuple[str, ...]] = {
    "gbfs_versions": ("versions",),
    "manifest": ("datasets",),
    "vehicle_types": ("vehicle_types",),
    "station_information": ("stations",),
    "station_status": ("stations",),
    "free_bike_status": ("bikes",),
    "vehicle_status": ("vehicles",),
    "vehicle_availability": ("vehicles",),
    "system_hours": ("rental_hours",),
    "system_calendar": ("calendars",),
    "system_regions": ("regions",),
    "system_pricing_plans": ("plans",),
    "system_alerts": ("alerts",),
    "geofencing_zones": ("geofencing_zones", "features"),
}
FEEDS = ("gbfs", "system_information", *ENTRIES)

_COUNT = number(0, whole=True)
_AMOUNT = number(0)
_TEXTS = items(text)
_STORES = fields({}, {name: fields({"store_uri": uri, "discovery_uri": uri}, {})
                      for name in ("android", "ios")})  # fmt: skip
_RENTAL = fields({}, {"android": uri, "ios": uri, "web": uri})
_OF_TYPES = items(fields({"vehicle_type_ids": _TEXTS, "count": _COUNT}, {}))
_OF_TYPE = items(fields({"vehicle_type_id": text, "count": _COUNT}, {}))
_NO_FIELDS: Mapping[str, Check] = {}
_FORMS = ("bicycle", "cargo_bicycle", "car", "moped", "scooter", "scooter_standing",
          "scooter_seated", "other")  # fmt: skip
_DRIVES = ("human", "electric_assist", "electric", "combustion", "combustion_diesel", "hybrid",
           "plug_in_hybrid", "hydrogen_fuel_cell")  # fmt: skip


def envelope(version: Version) -> Check:
    """What stands around the data of every feed."""
    words = [name for name, known in VERSIONS.items() if known == version]
    told = {"version": one_of(*words)}
    needed = {"last_updated": _time(version), "ttl": _COUNT, "data": an_object}
    if version < V11:  # which had no such field
        return fields(needed, told)
    return fields({**needed, **told}, {})


@lru_cache(maxsize=256)
def entry_check(feed: str, version: Version) -> Check:
    """The check of one entry of a feed."""
    return _MAKERS[feed](version)


@lru_cache(maxsize=256)
def data_check(feed: str, version: Version) -> Check:
    """The check of what stands in `data` beside the entries."""
    if feed == "geofencing_zones":
        zones = fields({"type": one_of("FeatureCollection"), "features": a_list}, {})
        rules = {"global_rules": items(_rule(version))} if version >= V30 else {}
        return fields({"geofencing_zones": zones, **rules}, {})
    if feed == "gbfs":
        return _discovery(version)
    if feed == "system_information":
        return entry_check(feed, version)
    some = feed == "system_calendar" and version < V11
    return fields({ENTRIES[feed][0]: some_list if some else a_list}, {})


def _discovery(version: Version) -> Check:
    one = items(fields({"name": text, "url": uri if version >= V11 else text}, {}), least=1)
    if version >= V30:
        return fields({"feeds": one}, {})
    return by_name(fields({"feeds": one}, {}))


def _vehicle(version: Version) -> Check:
    boolean = _flag(version)
    place = {"lat": number(-90, 90), "lon": number(-180, 180)}
    docked = version >= V21
    return fields(
        {
            "vehicle_id" if version >= V30 else "bike_id": text,
            **(_NO_FIELDS if docked else place),
            "is_reserved": boolean,
            "is_disabled": boolean,
        },
        _since(version, {
            V11: {"rental_uris": _RENTAL},
            V21: {**place, "vehicle_type_id": text, "last_reported": _time(version),
                  "current_range_meters": _AMOUNT, "station_id": text},
            V22: {"pricing_plan_id": text},
            V23: {"current_fuel_percent": number(0, 1), "home_station_id": text,
                  "vehicle_equipment": _TEXTS, "available_until": written_time},
        }),
        *([_placed] if docked else []),
    )  # fmt: skip


def _placed(vehicle: Any) -> list[Fault]:
    """A vehicle says where it is, or at which station."""
    if "station_id" in vehicle and not {"lat", "lon"} & vehicle.keys():
        return []
    return [(f".{name}", MISSING) for name in ("lat", "lon") if name not in vehicle]


def _vehicle_type(version: Version) -> Check:
    words = _words(version)
    fits = [name for name in _FORMS if version < V30 or name != "scooter"]
    return fields(
        {"vehicle_type_id": text, "form_factor": one_of(*fits),
         "propulsion_type": one_of(*_DRIVES)},
        _since(version, {
            V21: {"max_range_meters": _AMOUNT, "name": words},
            V23: {"rider_capacity": _COUNT, "cargo_volume_capacity": _COUNT,
                  "cargo_load_capacity": _COUNT, "g_CO2_km": _COUNT, "wheel_count": _COUNT,
                  "max_permitted_speed": _COUNT, "rated_power": _COUNT,
                  "default_reserve_time": _COUNT, "vehicle_image": uri, "make": words,
                  "model": words, "color": text, "default_pricing_plan_id": text,
                  "pricing_plan_ids": _TEXTS, "vehicle_accessories": _TEXTS,
                  "eco_labels" if version >= V30 else "eco_label": items(fields(
                      {"country_code": matching("^[A-Z]{2}", "a country such as DE"),
                       "eco_sticker": text}, {})),
                  "return_constraint": one_of("free_floating", "roundtrip_station",
                                              "any_station", "hybrid"),
                  "vehicle_assets": fields({"icon_url": uri, "icon_last_modified": day},
                                           {"icon_url_dark": uri})},
            V30: {"description": words},
            V31: {"min_age": _COUNT},
        }),
        _ranged,
    )  # fmt: skip


def _ranged(kind: Any) -> list[Fault]:
    """A type with a motor says how far it goes."""
    human = kind.get("propulsion_type") in ("human", None)
    return [] if human or "max_range_meters" in kind else [(".max_range_meters", MISSING)]


def _station(version: Version) -> Check:
    words = _words(version)
    return fields(
        {"station_id": text, "name": words, "lat": number(-90, 90), "lon": number(-180, 180)},
        _since(version, {
            (1, 0): {"short_name": words, "address": text, "cross_street": text,
                     "region_id": text, "post_code": text, "capacity": _COUNT,
                     "rental_methods": items(text, least=1 if version >= V11 else 0)},
            V11: {"rental_uris": _RENTAL},
            V21: {"is_virtual_station": flag, "is_valet_station": flag,
                  "station_area": multi_polygon, **_old(version, {
                      "vehicle_capacity": by_name(_AMOUNT),
                      "vehicle_type_capacity": by_name(_AMOUNT)})},
            V23: {"parking_type": text, "parking_hoop": flag, "contact_phone": text,
                  "is_charging_station": flag},
            V30: {"station_opening_hours": text, "vehicle_types_capacity": _OF_TYPES,
                  "vehicle_docks_capacity": _OF_TYPES},
            V31: {"city": text},
        }),
    )  # fmt: skip


def _status(version: Version) -> Check:
    boolean = _flag(version)
    modern = version >= V30
    one = "vehicles" if modern else "bikes"
    docks = {"num_docks_available": _COUNT}
    return fields(
        {
            "station_id": text,
            f"num_{one}_available": _COUNT,
            "is_installed": boolean,
            "is_renting": boolean,
            "is_returning": boolean,
            "last_reported": _time(version) if version >= V11 else number(),
            **(docks if version < V20 else _NO_FIELDS),
        },
        {
            f"num_{one}_disabled": _COUNT,
            "num_docks_disabled": _COUNT,
            **(docks if version >= V20 else _NO_FIELDS),
            **_since(version, {V21: {"vehicle_types_available": _OF_TYPE,
                                     "vehicle_docks_available": _OF_TYPES}}),
        },
    )  # fmt: skip


def _plan(version: Version) -> Check:
    words = _words(version)
    code = matching(r"^\w{3}$", "a currency such as EUR") if version >= V11 else text
    price = _AMOUNT if version >= V11 else number()
    step = items(fields({"start": _COUNT, "rate": number(), "interval": _COUNT}, {"end": _COUNT}))
    cap = fields({"duration": _COUNT, "price": _AMOUNT}, {})
    return fields(
        {"plan_id": text, "name": words, "currency": code, "price": price,
         "is_taxable": _flag(version), "description": words},
        _since(version, {
            (1, 0): {"url": uri if version >= V11 else text},
            V22: {"per_km_pricing": step, "per_min_pricing": step, "surge_pricing": flag},
            V31: {"reservation_price_per_min": _AMOUNT, "reservation_price_flat_rate": _AMOUNT,
                  "fare_capping": cap},
        }),
    )  # fmt: skip


def _rule(version: Version) -> Check:
    if version >= V30:
        needed: dict[str, Check] = {"ride_start_allowed": flag, "ride_end_allowed": flag}
    else:
        needed = {"ride_allowed": flag}
    return fields(
        {**needed, "ride_through_allowed": flag},
        _since(version, {
            V21: {"vehicle_type_ids" if version >= V30 else "vehicle_type_id": _TEXTS,
                  "maximum_speed_kph": _COUNT},
            V23: {"station_parking": flag},
        }),
    )  # fmt: skip


def _zone(version: Version) -> Check:
    when = _time(version)
    rules = items(_rule(version))
    properties = fields({}, {"name": _words(version), "start": when, "end": when, "rules": rules})
    return fields(
        {"type": one_of("Feature"), "properties": properties, "geometry": multi_polygon}, {}
    )


def _system(version: Version) -> Check:
    words = _words(version)
    modern = version >= V30
    address, letter = (uri, email) if version >= V11 else (text, text)
    legal = localized(uri) if modern else uri
    needed: dict[str, Check] = (
        {"languages": items(language), "opening_hours": text, "feed_contact_email": email}
        if modern
        else {"language": language}
    )
    phone = matching(r"^\+[1-9]\d{1,14}$", "a number such as +49...") if modern else text
    color = matching("^#[A-Fa-f0-9]{6}$", "a colour such as #00aaff")
    return fields(
        {"system_id": text, "name": words, "timezone": timezone if version >= V20 else text,
         **needed},
        _since(version, {
            (1, 0): {"short_name": words, "operator": words, "url": address,
                     "purchase_url": address, "start_date": day, "phone_number": phone,
                     "email": letter, "license_url": address},
            V11: {"rental_apps": _STORES, **_old(version, {"feed_contact_email": email})},
            V23: {"terms_url": legal, "terms_last_updated": day, "privacy_url": legal,
                  "privacy_last_updated": day, "brand_assets": fields(
                      {"brand_last_modified": day, "brand_image_url": uri},
                      {"brand_terms_url": uri, "brand_image_url_dark": uri, "color": color})},
            V30: {"termination_date": day, "manifest_url": uri, "license_id": text,
                  "attribution_organization_name": words, "attribution_url": uri},
        }),
    )  # fmt: skip


def _alert(version: Version) -> Check:
    words, when = _words(version), _time(version)
    span = fields({}, {"start": when, "end": when})
    kinds = ("system_closure", "station_closure", "station_move", "other")
    web = localized(uri) if version >= V30 else (uri if version >= V11 else text)
    return fields(
        {"alert_id": text, "type": one_of(*kinds, *(word.upper() for word in kinds)),
         "summary": words},
        {"times": items(span), "station_ids": _TEXTS, "region_ids": _TEXTS, "url": web,
         "description": words, "last_updated": when},
    )  # fmt: skip


def _hours(version: Version) -> Check:
    clock = matching(r"^\d{1,2}:\d\d:\d\d$", "a time of day such as 06:00:00")
    days = items(text, least=1 if version >= V11 else 0)
    people = "user_types" if version >= V11 else "user_type"
    named = {people: items(text, least=1 if version >= V11 else 0)}
    needed = {"days": days, "start_time": clock, "end_time": clock}
    return fields({**needed, **named}, {}) if version >= V11 else fields(needed, named)


def _season(version: Version) -> Check:  # noqa: ARG001
    month, monthday, year = (number(1, 12, whole=True), number(1, 31, whole=True),
                             number(1900, 2200, whole=True))  # fmt: skip
    return fields(
        {"start_month": month, "start_day": monthday, "end_month": month, "end_day": monthday},
        {"start_year": year, "end_year": year},
    )


def _region(version: Version) -> Check:
    return fields({"region_id": text, "name": _words(version)}, {})


def _offered(version: Version) -> Check:  # noqa: ARG001
    return fields({"version": one_of(*VERSIONS), "url": uri}, {})


def _dataset(version: Version) -> Check:
    later = {"area": multi_polygon, "country_code": matching("^[A-Z]{2}$", "a country such as DE")}
    return fields(
        {"system_id": text, "versions": items(_offered(version))},
        later if version >= V31 else {},
    )


def _availability(version: Version) -> Check:
    when = _time(version)
    return fields(
        {"vehicle_id": text, "station_id": text,
         "availabilities": items(fields({"from": when}, {"until": when}))},
        {"vehicle_type_id": text, "pricing_plan_id": text, "vehicle_equipment": _TEXTS},
    )  # fmt: skip


_MAKERS = {
    "gbfs_versions": _offered,
    "manifest": _dataset,
    "system_information": _system,
    "vehicle_types": _vehicle_type,
    "station_information": _station,
    "station_status": _status,
    "free_bike_status": _vehicle,
    "vehicle_status": _vehicle,
    "vehicle_availability": _availability,
    "system_hours": _hours,
    "system_calendar": _season,
    "system_regions": _region,
    "system_pricing_plans": _plan,
    "system_alerts": _alert,
    "geofencing_zones": _zone,
}


def _time(version: Version) -> Check:
    if version >= V30:
        return written_time
    return posix() if version >= V11 else posix(1_924_988_399)  # as its schema has it


def _flag(version: Version) -> Check:
    return flag if version >= V20 else old_flag


def _words(version: Version) -> Check:
    return localized() if version >= V30 else text


def _since(version: Version, tables: Mapping[Version, Mapping[str, Check]]) -> dict[str, Check]:
    """The fields of all versions up to this one."""
    return {name: check for since, table in tables.items() if version >= since
            for name, check in table.items()}  # fmt: skip


def _old(version: Version, table: Mapping[str, Check]) -> Mapping[str, Check]:
    """Fields that GBFS 3 no longer has."""
    return table if version < V30 else _NO_FIELDS
