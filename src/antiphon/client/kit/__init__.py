"""The contract kit: a suite of checks that any target can be put through, by the calls that every user has.

Most of the checks are errors that other platforms made in silence. Each check is a file in `checks`; `run_kit` runs
them and never raises because of what it finds.
"""

from antiphon.client.kit.check import Check, Outcome
from antiphon.client.kit.report import CheckResult, KitReport
from antiphon.client.kit.runner import CHECKS, run_kit

__all__ = ["CHECKS", "Check", "CheckResult", "KitReport", "Outcome", "run_kit"]
