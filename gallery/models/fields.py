"""Fields that Django does not have."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime


class LocalDateTimeField(models.Field):
    """A date and time as a clock on the wall showed it, in no time zone.

    Django's own DateTimeField holds moments and shifts them between zones. A camera
    says only what its clock said, and to make a moment of that would be to invent.
    """

    description = "Local date and time, without a time zone"

    def get_internal_type(self) -> str:
        return "LocalDateTimeField"

    def db_type(self, connection: Any) -> str:
        return "timestamp" if connection.vendor == "postgresql" else "datetime"

    def from_db_value(self, value: Any, *context: Any) -> datetime | None:
        return self.to_python(value)

    def to_python(self, value: Any) -> datetime | None:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                parsed = parse_datetime(value)
            except ValueError:
                parsed = None
            if parsed is None:
                raise ValidationError(f"{value!r} is not a date and time.")
            value = parsed
        if value.tzinfo is not None:
            raise ValidationError(f"{value} has a time zone; local time has none.")
        return value

    def get_prep_value(self, value: Any) -> datetime | None:
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(
        self,
        value: Any,
        connection: Any,
        prepared: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        local = self.to_python(value)
        if local is None or connection.vendor == "postgresql":
            return local
        # Always six digits, so that text sorts as time does.
        return local.isoformat(sep=" ", timespec="microseconds")

    def value_to_string(self, obj: models.Model) -> str:
        value: Any = self.value_from_object(obj)
        return value.isoformat() if value else ""

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms

        return super().formfield(**{"form_class": forms.CharField, **kwargs})
