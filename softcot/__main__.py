"""`python -m softcot`: see `softcot.cli.main`."""

import sys

from softcot.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
