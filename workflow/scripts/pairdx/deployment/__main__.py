"""``python -m pairdx.deployment``."""

import sys

from pairdx.deployment.command import main
from pairdx.deployment.streams import open_closed_streams, settle

if __name__ == "__main__":
    open_closed_streams()
    try:
        sys.exit(main())
    finally:
        settle()
