"""`python -m mpn_abm` is the program `mpn-abm`."""

import sys

from mpn_abm.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
