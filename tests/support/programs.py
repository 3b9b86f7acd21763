"""Programs that many tests submit."""

BELL = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""

ENDLESS = """OPENQASM 3.0;
include "stdgates.inc";
qubit[1] q;
bit[1] c;
while (!c[0]) {
  reset q[0];
  c[0] = measure q[0];
}
"""
