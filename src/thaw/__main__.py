"""``python -m thaw``."""

import sys

from thaw.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
