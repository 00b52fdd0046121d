"""What tells a card, an id, a phone or an address from other digits: checksums, ranges and surroundings."""

from __future__ import annotations

import ipaddress
import re
from datetime import date

_DIGITS = b"0123456789"
# first digits, lengths (ISO/IEC 7812; the networks' published ranges)
_NETWORKS = (
    (re.compile(rb"4"), frozenset({13, 16, 19})),
    (re.compile(rb"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),
    (re.compile(rb"3[47]"), frozenset({15})),
    (re.compile(rb"6011|65|64[4-9]|62|81"), frozenset({16, 17, 18, 19})),
    (re.compile(rb"352[89]|35[3-8]"), frozenset({16, 17, 18, 19})),
    (re.compile(rb"30[0-5]|3095|3[689]"), frozenset({14, 16})),
    (re.compile(rb"50|5[6-9]|6304|67"), frozenset({16, 18, 19})),
)


def _alone(text: bytes, start: int, end: int, joins: bytes = b"") -> bool:
    """No letter, digit or one of ``joins`` next to the match: it is no part of something longer."""
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    sides = [side for side in (before, after) if side]
    if any(side in joins for side in sides):
        return False
    return not any(side.isalnum() or side == b"_" for side in sides)


def luhn(digits: bytes) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_card(text: bytes, start: int, end: int) -> bool:
    """A number of a known network whose check digit is right, and no part of a longer number."""
    digits = bytes(byte for byte in text[start:end] if byte in _DIGITS)
    joined = text[max(0, start - 2) : start]
    if len(set(digits)) < 2 or not _alone(text, start, end) or re.fullmatch(rb"[0-9][.-]", joined):
        return False
    known = any(first.match(digits) and len(digits) in lengths for first, lengths in _NETWORKS)
    return known and luhn(digits)


def is_ssn(text: bytes, start: int, end: int) -> bool:
    """Area not 000, 666 or 9xx, no part all zeros (US Social Security Administration)."""
    value = text[start:end]
    if value[3:4] != value[6:7] or not _alone(text, start, end, b"-"):
        return False
    return is_plain_ssn(value[:3] + value[4:6] + value[7:], 0, 9)


def is_plain_ssn(text: bytes, start: int, end: int) -> bool:
    """The ranges of :func:`is_ssn` for nine digits in a row."""
    area, group, serial = text[start : start + 3], text[start + 3 : start + 5], text[start + 5 : end]
    return not (area in (b"000", b"666") or area.startswith(b"9") or group == b"00" or serial == b"0000")


_RRN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_NO_CHECKSUM_FROM = date(2020, 10, 5)
"""Numbers given out since end with random digits (Ministry of the Interior and Safety)."""


def is_rrn(text: bytes, start: int, end: int) -> bool:
    """A date of birth and the check digit; for the births since October 2020, the date and a hyphen."""
    value = text[start:end]
    digits = [byte - 48 for byte in value if byte in _DIGITS]
    if len(digits) != 13 or not _alone(text, start, end, b"-"):
        return False
    century = 1900 if digits[6] in (1, 2, 5, 6) else 2000
    year, month, day = digits[0] * 10 + digits[1], digits[2] * 10 + digits[3], digits[4] * 10 + digits[5]
    try:
        born = date(century + year, month, day)
    except ValueError:
        return False
    if born > date(2099, 1, 1) or (century == 2000 and year > 50):
        return False
    if born >= _NO_CHECKSUM_FROM and b"-" in value:
        return True
    rest = sum(digit * weight for digit, weight in zip(digits, _RRN_WEIGHTS, strict=False)) % 11
    return digits[12] in ({(11 - rest) % 10, (13 - rest) % 10} if digits[6] >= 5 else {(11 - rest) % 10})


_FILES = re.compile(rb"(?i)\.(?:png|jpe?g|gif|svg|webp|css|js|ts|py|json|md|html?|xml|ya?ml|txt|so|dll)$")


def is_email(text: bytes, start: int, end: int) -> bool:
    """Not the name of a picture at double size, not the user of an address with a password."""
    value = text[start:end]
    return not _FILES.search(value) and b".." not in value


def is_phone(text: bytes, start: int, end: int) -> bool:
    """No part of a longer number, a sum or a path; after ``+`` 8 to 15 digits (ITU-T E.164)."""
    if not _alone(text, start, end, b"-$#/=" if not text.startswith(b"(", start) else b""):
        return False
    if _goes_on(text, end) or text[start - 1 : start] in (b"+", b"."):
        return False
    digits = sum(byte in _DIGITS for byte in text[start:end])
    return not text.startswith(b"+", start) or 8 <= digits <= 15


_VERSION = re.compile(rb"(?i)(?:version|ver\.?|release|build|v|section|chapter)\s{0,2}$")


def is_ipv4(text: bytes, start: int, end: int) -> bool:
    """Four numbers to 255, not a version, not this machine or no address at all."""
    if not _alone(text, start, end) or text[start - 1 : start] in (b".", b"-") or _goes_on(text, end):
        return False
    if _VERSION.search(text[max(0, start - 12) : start]):
        return False
    parts = text[start:end].split(b".")
    if any(int(part) > 255 or (len(part) > 1 and part.startswith(b"0")) for part in parts):
        return False
    return parts[0] not in (b"0", b"127") and parts != [b"255"] * 4


def _goes_on(text: bytes, end: int) -> bool:
    return text[end : end + 1] == b"." and text[end + 1 : end + 2].isdigit()


def is_ipv6(text: bytes, start: int, end: int) -> bool:
    """What the standard library reads as an address with at least three groups, one of them with a digit."""
    value = text[start:end]
    if not _alone(text, start, end, b":") or not re.search(rb"[0-9]", value):
        return False
    if sum(1 for group in value.split(b":") if group) < 3:
        return False
    try:
        return not ipaddress.IPv6Address(value.decode("ascii")).is_loopback
    except ValueError:
        return False
