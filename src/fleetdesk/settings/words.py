"""Words as they are compared, and the one that was probably meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

ALIKE = 0.7


def closest(text: str, candidates: Iterable[str]) -> str | None:
    """The candidate that looks most like the text, if any does."""
    by_normal = {normal(candidate): candidate for candidate in candidates}
    best = (
        difflib.get_close_matches(reading, by_normal, n=1, cutoff=ALIKE)
        for reading in readings(text)
    )
    return next((by_normal[hits[0]] for hits in best if hits), None)


def normal(text: str) -> str:
    """Text as it is compared: no case, no spare spaces, no closing colon or star."""
    folded = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(folded.split()).rstrip(" :*")


def readings(text: str) -> tuple[str, ...]:
    """A head's text with its unit in brackets, and without."""
    whole = normal(text)
    if not whole.endswith((")", "]")):
        return (whole,)
    bare = normal(re.sub(r"[(\[][^()\[\]]*[)\]]\s*$", "", text))
    return (whole, bare) if bare and bare != whole else (whole,)
