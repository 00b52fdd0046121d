"""`python -m trainserver`: the server program."""

from __future__ import annotations

import sys

from trainserver.program import main

if __name__ == "__main__":
    sys.exit(main())
