import sys
from pathlib import Path

# The suite is run as `python -m bench` from the root and is not installed.
sys.path.insert(0, str(Path(__file__).parents[3]))
