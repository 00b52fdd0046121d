"""The patterns of private values, in RE2's syntax over bytes (UTF-8), each with what proves a match.

Token formats: the public documentation of each service. Numbers: :mod:`tuning.datasets.privacy.numbers`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tuning.datasets.privacy import numbers

Proof = Callable[[bytes, int, int], bool]
"""Text, start and end of a match: whether it is what the pattern looks for."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``group`` is the part that is private; ``hint`` a cheaper pattern that every match contains."""

    code: str
    kind: str
    expression: bytes
    proof: Proof | None = None
    group: int = 0
    hint: bytes = b""


def _mixed(text: bytes, start: int, end: int) -> bool:
    """Letters and digits, without a word of an example: what random keys look like."""
    value = text[start:end]
    if not re.search(rb"[0-9]", value) or not re.search(rb"[A-Za-z]", value):
        return False
    return re.search(rb"(?i)your|x{4}|\.\.\.|\*{3}|placeholder", value) is None


def _random(text: bytes, start: int, end: int) -> bool:
    """:func:`_mixed` with at least 3 bits a character: no word, no path, no version."""
    value = text[start:end]
    if not _mixed(text, start, end):
        return False
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) >= 3.0


def _solid(text: bytes, start: int, end: int) -> bool:
    """A key after ``sk-``: one long run that mixes letters and digits."""
    return any(_mixed(run, 0, len(run)) for run in re.findall(rb"[A-Za-z0-9_]{16,}", text[start:end]))


def _password(text: bytes, start: int, end: int) -> bool:
    return re.fullmatch(rb"(?i)[<{\[$*].*|x+|pass(word)?|secret|user", text[start:end]) is None


_SECRETS: tuple[tuple[str, bytes, Proof | None, int], ...] = (
    (
        "a private key",
        rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:[^-]*-----END [A-Z0-9 ]*-----|[A-Za-z0-9+/=\\\s]*)",
        None,
        0,
    ),
    ("an AWS key", rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", None, 0),
    (
        "an AWS secret key",
        rb"(?i:aws[\w. ]{0,20}secret[\w. ]{0,20})[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9/+]{40})",
        None,
        1,
    ),
    ("a GitHub token", rb"\b(?:gh[opsur]_[A-Za-z0-9]{36,}|github_pat_\w{22,})", None, 0),
    ("a GitLab token", rb"\bgl(?:pat|dt|rt|ptt|oas|ft|soat)-[\w-]{20,}", _mixed, 0),
    ("a Slack token", rb"\bx(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10,}", _mixed, 0),
    (
        "a Slack webhook",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,120}",
        _mixed,
        0,
    ),
    ("an API key", rb"\bsk-(?:ant-|proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}", _solid, 0),
    (
        "a Google key",
        rb"\b(?:AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{20,}|1//0[\w-]{40,})",
        None,
        0,
    ),
    ("a Stripe key", rb"\b(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,})", None, 0),
    ("a Hugging Face token", rb"\b(?:hf|api_org)_[A-Za-z0-9]{30,64}\b", None, 0),
    (
        "a package registry token",
        rb"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dckr_pat_[\w-]{27})",
        None,
        0,
    ),
    ("a SendGrid key", rb"\bSG\.[\w-]{16,32}\.[\w-]{16,64}", _mixed, 0),
    ("a Twilio key", rb"\b(?:SK|AC)[0-9a-f]{32}\b", _mixed, 0),
    (
        "a cloud token",
        rb"\b(?:do[opr]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
        rb"|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,60}|gsk_[A-Za-z0-9]{40,64}|r8_[A-Za-z0-9]{37,40}"
        rb"|pplx-[A-Za-z0-9]{40,64}|xai-[A-Za-z0-9]{60,100}|hvs\.[\w-]{24,}|AGE-SECRET-KEY-1[A-Z0-9]{58})",
        None,
        0,
    ),
    ("an Azure key", rb"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,88}={0,2})", None, 1),
    ("a Telegram token", rb"\b[0-9]{8,10}:AA[\w-]{32,33}\b", None, 0),
    ("a signed token (JWT)", rb"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", None, 0),
    (
        "a password in an address",
        rb"\b[a-z][a-z0-9+.-]{1,20}://[^\s:@/\"'<>]{0,64}:([^\s@/\"'<>]{3,128})@",
        _password,
        1,
    ),
    ("a bearer token", rb"(?i:\bbearer)\s{1,3}([A-Za-z0-9._~+/-]{20,}={0,2})", _random, 1),
    (
        "a secret",
        rb"(?i:(?:api|access|auth|secret|private|client)[_ -]{0,1}(?:key|token|secret)|secret|passw(?:or)?d)"
        rb"[\"']{0,1}\s{0,3}(?:[:=]|=>|is)\s{0,3}[\"']{0,1}([A-Za-z0-9_\-+/=.~!@#$%^&*]{16,})",
        _random,
        1,
    ),
)

PATTERNS: tuple[Pattern, ...] = (
    *(Pattern("secret", kind, expression, proof, group) for kind, expression, proof, group in _SECRETS),
    Pattern(
        "payment_card",
        "a card number",
        rb"\b(?:[0-9]{4}(?:(?: [0-9]{4}){3}|(?:-[0-9]{4}){3})(?:[ -][0-9]{3})?|[0-9]{4} [0-9]{6} [0-9]{4,5}"
        rb"|[0-9]{4}-[0-9]{6}-[0-9]{4,5}|[0-9]{13,19})\b",
        numbers.is_card,
    ),
    Pattern(
        "national_id",
        "a US social security number",
        rb"\b[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\b",
        numbers.is_ssn,
    ),
    Pattern(
        "national_id",
        "a US social security number",
        rb"(?i:\bssn|social security(?: number| no\.?)?)[^0-9\n]{0,20}([0-9]{9})\b",
        numbers.is_plain_ssn,
        group=1,
    ),
    Pattern(
        "national_id",
        "a Korean resident number",
        rb"\b[0-9]{6}(?: ?- ?| )?[1-8][0-9]{6}\b",
        numbers.is_rrn,
    ),
    Pattern(
        "email",
        "an e-mail address",
        rb"[A-Za-z0-9_](?:[A-Za-z0-9._%+'-]{0,62}[A-Za-z0-9_%+-])?"
        rb"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}\b",
        numbers.is_email,
        hint=rb"@[A-Za-z0-9-]{1,63}\.[A-Za-z0-9]",
    ),
    Pattern(
        "phone",
        "a phone number",
        rb"(?:\+1[ .-]?(?:\([0-9]{3}\)|[0-9]{3})[ .-]?[0-9]{3}[ .-]?[0-9]{4}"
        rb"|\+82[ .-]?\(?0?\)?[0-9]{1,2}[ .-]?[0-9]{3,4}[ .-]?[0-9]{4}"
        rb"|\+[2-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,5}\)?){2,6}"
        rb"|\([2-9][0-9]{2}\)[ .-]?[0-9]{3}[ .-]?[0-9]{4}"
        rb"|\b(?:1[ .-])?[2-9][0-9]{2}(?:-[0-9]{3}-|\.[0-9]{3}\.| [0-9]{3}[ -])[0-9]{4}"
        rb"|\b01[016789](?:-[0-9]{3,4}-|\.[0-9]{3,4}\.| [0-9]{3,4} |[0-9]{3,4})[0-9]{4}"
        rb"|(?:\(0(?:2|[3-6][1-5]|70|50[2-8]?)\)|\b0(?:2|[3-6][1-5]|70|50[2-8]?))"
        rb"[ .-]?[0-9]{3,4}[ .-][0-9]{4}"
        rb"|\b0[1-9][0-9]{1,3}[ -][0-9]{3,4}[ -][0-9]{3,4}|\b0[1-9](?:[ .][0-9]{2}){4}"
        rb"|\b1[568][0-9]{2}-[0-9]{4})\b",
        numbers.is_phone,
    ),
    Pattern(
        "ip_address",
        "an IP address",
        rb"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b",
        numbers.is_ipv4,
    ),
    Pattern(
        "ip_address",
        "an IP address",
        rb"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}",
        numbers.is_ipv6,
        hint=rb":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
    ),
)
"""In the order they are believed: a later one never takes what an earlier one has."""
