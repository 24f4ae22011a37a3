"""Text in a CSV file that no spreadsheet takes for a formula."""

from __future__ import annotations

# OWASP, CSV injection: a text that begins so may be run as a formula.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def guarded(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet might run it; numbers need no guard."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
