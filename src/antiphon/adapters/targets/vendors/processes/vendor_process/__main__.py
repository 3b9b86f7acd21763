"""`python -m vendor_process NAME`: answer requests on stdin with what that vendor's SDK says.

What runs here has the standard library and the vendor's SDK, and nothing of Antiphon.
"""

from __future__ import annotations

import importlib
import sys

from vendor_process.serving import serve

if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isidentifier():
        sys.exit("usage: python -m vendor_process NAME")
    serve(importlib.import_module(f"vendor_process.{sys.argv[1]}.provider").connect)
