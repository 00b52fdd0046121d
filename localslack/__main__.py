"""``python -m localslack``."""

from __future__ import annotations

import sys

from localslack.app import main

if __name__ == "__main__":
    sys.exit(main())
