"""A column's texts turned into canonical values by the form that its rule names."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import Column, DType
from fleetdesk.sources.mapping import DATE, TIME_OF_DAY
from fleetdesk.sources.mapping_times import SINCE_1970, WRITTEN, read_times
from fleetdesk.sources.parsing import Parsed, floats, parse

# Canonical unit -> form -> factor; the first is the canonical one.
UNITS: dict[str, dict[str, float]] = {
    "m": {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "yd": 0.9144},
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 0.001},
    "km/h": {"km/h": 1.0, "m/s": 3.6, "mph": 1.609344, "kn": 1.852},
    "%": {"%": 1.0, "0 to 1": 100.0},
    "Wh": {"Wh": 1.0, "kWh": 1000.0},
    "money": {"units": 1.0, "cents": 0.01},
    "mm": {"mm": 1.0, "in": 25.4},
    "C": {"C": 1.0, "F": 5 / 9},
    "deg": {"deg": 1.0, "deg x 1e6": 1e-6, "deg x 1e7": 1e-7},
}
HOURS_MINUTES = "h:m:s"
WKT, LAT_LON, LON_LAT = "POINT (lon lat)", "lat, lon", "lon, lat"
POSITIONS = (WKT, LAT_LON, LON_LAT)
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_PAIR = {
    WKT: rf"^(?:SRID=\d+;)?POINT ?Z? ?\( ?(?P<lon>{_NUMBER})[ ,]+(?P<lat>{_NUMBER})[^)]*\)$",
    LAT_LON: rf"^[\[(]? ?(?P<lat>{_NUMBER})[ ,;]+(?P<lon>{_NUMBER}) ?[\])]?$",
    LON_LAT: rf"^[\[(]? ?(?P<lon>{_NUMBER})[ ,;]+(?P<lat>{_NUMBER}) ?[\])]?$",
}
_DRESS = r"[ \x{00a0}€$£%]|EUR|USD|GBP"
_SHUT = ("locked", "closed", "close", "lock", "on")
_OPEN = ("unlocked", "open", "opened", "unlock", "off")


def forms_of(column: Column) -> tuple[str, ...]:
    """What may stand under "unit or form" for this column; the first is the canonical one."""
    if column.dtype is DType.TIMESTAMP:
        return (*WRITTEN, *SINCE_1970, *(DATE + form for form in WRITTEN), TIME_OF_DAY)
    units = tuple(UNITS.get(column.unit, ()))
    return (*units, HOURS_MINUTES) if column.unit == "s" else units


def checked_form(column: Column, form: str) -> str:
    """The form as it is known, the canonical one for none; SourceUnreadable for a strange one."""
    known = forms_of(column)
    found = next((name for name in known if name.casefold() == form.strip().casefold()), None)
    if found is None and form.strip():
        raise SourceUnreadable(
            "The mapping cannot be used",
            found=f"{column.name} is said to be in {form!r}",
            fix=f"Known are {', '.join(known)}" if known else "Leave unit and form empty there",
        )
    return found or (known[0] if known else "")


def read_values(
    texts: pa.Array, column: Column, form: str, zone: ZoneInfo, decimal: str = "."
) -> Parsed:
    """The column's values in its canonical unit, null where the text was empty or bad."""
    texts = trimmed(texts)
    if column.dtype is DType.TIMESTAMP:
        return read_times(texts, form.removeprefix(DATE) or WRITTEN[0], zone)
    if column.dtype is DType.BOOL:
        lower = pc.utf8_lower(texts)
        texts = pc.if_else(pc.is_in(lower, pa.array(_SHUT)), "yes", texts)
        return parse(pc.if_else(pc.is_in(lower, pa.array(_OPEN)), "no", texts), DType.BOOL)
    if column.dtype not in (DType.FLOAT, DType.INT):
        return parse(texts, column.dtype)
    if form == HOURS_MINUTES:
        return _spans(texts)
    bare = undressed(texts, decimal)
    if column.dtype is DType.INT:
        return parse(pc.replace_substring_regex(bare, r"\.0+$", ""), DType.INT)
    return _in_unit(parse(bare, DType.FLOAT), column.unit, form)


def read_positions(texts: pa.Array, form: str) -> tuple[Parsed, Parsed]:
    """Latitude and longitude of points written in one text."""
    texts = trimmed(texts)
    fields = pc.extract_regex(pc.utf8_upper(texts), _PAIR[form])
    lost = np.asarray(pc.and_(pc.is_null(fields), pc.is_valid(texts)))
    lat, lon = (
        pc.struct_field(fields, name).cast(pa.float64()) for name in ("lat", "lon")
    )  # fmt: skip
    return Parsed(lat, lost), Parsed(lon, np.zeros(len(lost), dtype=bool))


def trimmed(texts: pa.Array) -> pa.Array:
    """Without blanks around, nor the sign by which a spreadsheet keeps a text; nothing is null."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), r"^'([=+@\-])", r"\1")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def undressed(texts: pa.Array, decimal: str) -> pa.Array:
    """Numbers as a program writes them: no currency, percent or thousands signs, decimal point."""
    bare = pc.replace_substring_regex(texts, _DRESS, "")
    if decimal == ",":
        grouped = pc.match_substring_regex(bare, r"^[-+]?\d{1,3}(\.\d{3})+(,\d+)?$")
        bare = pc.if_else(grouped, pc.replace_substring(bare, ".", ""), bare)
        return pc.replace_substring(bare, ",", ".")
    grouped = pc.match_substring_regex(bare, r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return pc.if_else(grouped, pc.replace_substring(bare, ",", ""), bare)


def is_number(text: str) -> bool:
    """Whether the text is a plain number."""
    return re.fullmatch(rf"{_NUMBER}(?:[eE][-+]?\d+)?|[-+]?\d+,\d+", text) is not None


def _in_unit(parsed: Parsed, unit: str, form: str) -> Parsed:
    factor = UNITS.get(unit, {}).get(form, 1.0)
    if form == "F":
        return Parsed(pc.multiply(pc.subtract(parsed.values, 32.0), factor), parsed.bad)
    return parsed if factor == 1.0 else Parsed(pc.multiply(parsed.values, factor), parsed.bad)


def _spans(texts: pa.Array) -> Parsed:
    fields = pc.extract_regex(texts, r"^(?P<h>\d+):(?P<m>\d\d)(?::(?P<s>\d\d(?:\.\d+)?))?$")
    parts = []
    for name in "hms":
        part = pc.struct_field(fields, name)
        parts.append(floats(pc.if_else(pc.equal(part, ""), "0", part).cast(pa.float64())))
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2]
    lost = np.isnan(seconds)
    return Parsed(pa.array(seconds, mask=lost), lost & np.asarray(pc.is_valid(texts)))
