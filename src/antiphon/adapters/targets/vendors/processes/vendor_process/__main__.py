"""`python -m vendor_process NAME`: answer requests on stdin with what that vendor's SDK says."""

from __future__ import annotations

import importlib
import sys

from vendor_process.serving import serve

NAMES = ("azure", "braket", "ibm")

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: python -m vendor_process {'|'.join(NAMES)}")
    serve(importlib.import_module(f"vendor_process.{sys.argv[1]}.provider").connect)
