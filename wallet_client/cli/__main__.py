"""`python -m wallet_client.cli` is `kura`."""

import sys

from wallet_client.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
