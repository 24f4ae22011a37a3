"""Texts in pictures: what a planner named is no formula."""

from __future__ import annotations

from matplotlib import rc_context

as_written = rc_context({"text.parse_math": False})
"""Decorates what draws names: between two `$` matplotlib would look for a formula, or fail."""
