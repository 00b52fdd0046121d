"""Private values in texts: secrets, payment cards, national ids, e-mails, phones, IP addresses.

One compiled pattern set says in one pass over a line which classes may be in it; only then are its texts
looked at one by one. The patterns run in linear time whatever the text (RE2).
"""

from __future__ import annotations

from tuning.datasets.privacy.finding import Hit, may_hold, scan
from tuning.datasets.privacy.rows import Change, walk

__all__ = ["Change", "Hit", "may_hold", "scan", "walk"]
