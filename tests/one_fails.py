"""Of several processes the last one fails, and the others would wait for ever.

Run by test_distributed.py: torchrun --module one_fails
"""

from __future__ import annotations

import os
import sys
import time

if os.environ["RANK"] == "1":
    sys.exit("Error: the words of the second process")
time.sleep(3600)
