"""What all settings sheets are made of: a frozen class whose fields say what the sheet shows."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator


def setting(
    default: Any, label: str, help_: str, *,
    unit: str = "", example: str = "", one_of: str = "", since: int = 1, **bounds: Any,
) -> Any:  # fmt: skip
    """A field with what the sheet shows of it; `...` as default means it must be filled in.

    `example` says in words what text is expected; `one_of` names the list whose names it offers;
    `since` is the schema version that brought it, so that older workbooks may lack it.
    """
    shown: dict[str, Any] = {"unit": unit, "example": example, "one_of": one_of, "since": since}
    return Field(default, title=label, description=help_, json_schema_extra=shown, **bounds)


class Sheet(BaseModel):
    """One settings sheet (or one row of a sheet that is a list)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True
    )

    sheet: ClassVar[str]
    intro: ClassVar[str]
    since: ClassVar[int] = 1
    """The schema version that brought the sheet."""

    @field_validator("*", mode="before")
    @classmethod
    def _as_sheets_keep_it(cls, value: Any) -> Any:
        """Text that can be shown, and numbers of the 15 digits that spreadsheets keep.

        With more digits, settings would differ after a round trip.
        """
        if isinstance(value, float):
            return float(f"{value:.15g}")
        if isinstance(value, str) and not value.strip().isprintable():
            raise ValueError("holds a line break or another character that cannot be shown")
        return value
