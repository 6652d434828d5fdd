"""Phone numbers: understood as people write them, kept as E.164, shown masked."""

import re

import phonenumbers

REGION = "CN"  # of a number without a country code
SHOWN = 4  # digits at its end


def normalised(text: str) -> str:
    """`138 0013 8000` → `+8613800138000` (E.164). Raises ValueError for what is no possible number."""
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        raise ValueError("expected a phone number, outside China with its country code (+852…)") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("expected a phone number of a possible length")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def hidden(text: str) -> str:
    """What somebody searched for, as records keep it: the last four digits of `138 0013 8000` (`*** **** 8000`)."""
    over = sum(map(str.isdigit, text)) - SHOWN
    return re.sub(r"\d", "*", text, count=over) if over > 0 else text


def masked(e164: str) -> str:
    """`+8613800138000` → `138****8000`; a foreign one keeps its code: `+852 ****4567`."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(number)
    head = national[:3] if number.country_code == phonenumbers.country_code_for_region(REGION) else ""
    return f"{head or f'+{number.country_code} '}****{national[-4:]}"
