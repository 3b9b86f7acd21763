"""The checks, one a file, in the order in which they run: from what a single program shows to what a job promises."""

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.angles import ANGLES
from antiphon.client.kit.checks.batches import BATCHES
from antiphon.client.kit.checks.bit_order import BIT_ORDER
from antiphon.client.kit.checks.calibration import CALIBRATION
from antiphon.client.kit.checks.cancelling import CANCELLING
from antiphon.client.kit.checks.clock import CLOCK
from antiphon.client.kit.checks.conditions import CONDITIONS
from antiphon.client.kit.checks.delays import DELAYS
from antiphon.client.kit.checks.double_submits import DOUBLE_SUBMITS
from antiphon.client.kit.checks.mid_circuit import MID_CIRCUIT
from antiphon.client.kit.checks.observables import OBSERVABLES
from antiphon.client.kit.checks.reading_twice import READING_TWICE
from antiphon.client.kit.checks.refusals import REFUSALS
from antiphon.client.kit.checks.registers import REGISTERS
from antiphon.client.kit.checks.seeds import SEEDS
from antiphon.client.kit.checks.shots import SHOTS_SUM
from antiphon.client.kit.checks.sweeps import SWEEPS
from antiphon.client.kit.checks.time_limits import TIME_LIMITS

ALL: tuple[Check, ...] = (
    BIT_ORDER,
    REGISTERS,
    ANGLES,
    DELAYS,
    MID_CIRCUIT,
    CONDITIONS,
    OBSERVABLES,
    BATCHES,
    SWEEPS,
    SEEDS,
    SHOTS_SUM,
    READING_TWICE,
    CALIBRATION,
    CLOCK,
    CANCELLING,
    TIME_LIMITS,
    DOUBLE_SUBMITS,
    REFUSALS,
)
