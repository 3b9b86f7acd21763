"""Run a notebook's cells as a notebook does, magics and displayed values included; ends with 1 at the first error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell


def main() -> int:
    cells = json.loads(Path(sys.argv[1]).read_text())["cells"]
    shell = InteractiveShell.instance(history_length=0)
    for cell in cells:
        if cell["cell_type"] == "code" and not shell.run_cell("".join(cell["source"]), store_history=True).success:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
