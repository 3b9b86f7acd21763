"""A Bell pair from Q#, in ten lines."""

import os

from antiphon import Workspace

os.environ["QDK_PYTHON_TELEMETRY"] = "none"  # the QDK reports usage to its vendor unless told not to
from qdk import qsharp

qsharp.init(target_profile=qsharp.TargetProfile.Base)
qsharp.eval("""operation Bell() : Result[] {
    use q = Qubit[2]; H(q[0]); CNOT(q[0], q[1]); return [MResetZ(q[0]), MResetZ(q[1])];
}""")

target = Workspace().target("sim.auto")
job = target.submit(qsharp.compile("Bell()"), shots=1000, name="bell", seed=7)
print(job.result().counts)  # {'00': 513, '11': 487}
