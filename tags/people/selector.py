"""How a request names a customer: exactly one of five values."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from bot.web.api import Body, Ident
from tags.people.phones import normalised

Name = Annotated[str, Field(min_length=1, max_length=128)]
Phone = Annotated[str, Field(min_length=4, max_length=32), AfterValidator(normalised)]


class Selector(Body):
    """`{"customer_id"}`, `{"external_userid"}`, `{"unionid"}`, `{"phone"}` or `{"shop_customer_id"}`, and only one."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"minProperties": 1, "maxProperties": 1})

    customer_id: Ident | SkipJsonSchema[None] = None
    external_userid: Name | SkipJsonSchema[None] = None
    unionid: Name | SkipJsonSchema[None] = None
    phone: Phone | SkipJsonSchema[None] = None
    shop_customer_id: Name | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            expected = ", ".join(type(self).model_fields)
            raise ValueError(f"expected exactly one of {expected}, found {' and '.join(given) or 'none'}")
        return self

    @property
    def pair(self) -> tuple[str, str]:
        """(kind, value): which of the five it is, and its value; a phone as E.164."""
        return next((name, value) for name, value in self if value is not None)

    def __str__(self) -> str:
        kind, value = self.pair
        return f"{kind} …{value[-4:]}" if kind == "phone" else f"{kind} {value}"
