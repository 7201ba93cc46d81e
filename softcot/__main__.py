"""`python -m softcot`: see `softcot.cli`."""

import sys

from softcot.cli import main

if __name__ == "__main__":
    sys.exit(main())
