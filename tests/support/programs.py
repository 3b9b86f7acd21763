"""Programs that many tests submit."""

BELL = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""

# A loop in which nothing is left to chance is given up after a million steps: the fifteen other qubits make each slow
# enough that no test sees that.
ENDLESS = """OPENQASM 3.0;
include "stdgates.inc";
qubit[16] q;
bit[1] c;
while (!c[0]) {
  reset q[0];
  h q[1:15];
  c[0] = measure q[0];
}
"""
