"""QIR whose entry points take arguments, which no compiler of Q# writes: as people write it by hand or with pyqir."""

from __future__ import annotations

from typing import Any

TURN = """%Qubit = type opaque
%Result = type opaque
define void @turn(double %theta, double %phi) #0 {
  call void @__quantum__qis__ry__body(double %theta, %Qubit* null)
  call void @__quantum__qis__ry__body(double %phi, %Qubit* inttoptr (i64 1 to %Qubit*))
  call void @__quantum__qis__mz__body(%Qubit* null, %Result* null)
  call void @__quantum__qis__mz__body(%Qubit* inttoptr (i64 1 to %Qubit*), %Result* inttoptr (i64 1 to %Result*))
  call void @__quantum__rt__array_record_output(i64 2, i8* null)
  call void @__quantum__rt__result_record_output(%Result* null, i8* null)
  call void @__quantum__rt__result_record_output(%Result* inttoptr (i64 1 to %Result*), i8* null)
  ret void
}
declare void @__quantum__qis__ry__body(double, %Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result* writeonly) #1
declare void @__quantum__rt__array_record_output(i64, i8*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)
attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="base_profile" "required_num_qubits"="2"
  "required_num_results"="2" }
attributes #1 = { "irreversible" }
!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 1}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
"""
"""Two rotations by its arguments, both measured: a circuit, once it has them."""

DECIDE = """%Qubit = type opaque
%Result = type opaque
define i64 @decide(double %theta, i64 %n, i1 %flip, i2 %axis) #0 {
first:
  %half = fmul double %theta, 0.5
  call void @__quantum__qis__ry__body(double %half, %Qubit* null)
  %many = icmp sgt i64 %n, 2
  %y = icmp eq i2 %axis, -1
  %both = and i1 %many, %y
  br i1 %both, label %then, label %next
then:
  call void @__quantum__qis__x__body(%Qubit* null)
  br label %next
next:
  br i1 %flip, label %turned, label %last
turned:
  call void @__quantum__qis__x__body(%Qubit* inttoptr (i64 1 to %Qubit*))
  br label %last
last:
  call void @__quantum__qis__mz__body(%Qubit* null, %Result* null)
  call void @__quantum__qis__mz__body(%Qubit* inttoptr (i64 1 to %Qubit*), %Result* inttoptr (i64 1 to %Result*))
  call void @__quantum__rt__tuple_record_output(i64 2, i8* null)
  call void @__quantum__rt__result_record_output(%Result* null, i8* null)
  call void @__quantum__rt__result_record_output(%Result* inttoptr (i64 1 to %Result*), i8* null)
  ret i64 0
}
declare void @__quantum__qis__ry__body(double, %Qubit*)
declare void @__quantum__qis__x__body(%Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result* writeonly) #1
declare void @__quantum__rt__tuple_record_output(i64, i8*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)
attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="adaptive_profile" "required_num_qubits"="2"
  "required_num_results"="2" }
attributes #1 = { "irreversible" }
!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 1}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
"""
"""Computes with its arguments, so that an interpreter of QIR runs it: qubit 0 is turned where n > 2 and axis is Y."""


def argument(name: str, kind: str, value: Any) -> dict[str, Any]:
    """An argument as Azure Quantum writes it."""
    return {"name": name, "type": kind, "value": value}


def deciding(theta: float, n: int, flip: bool, axis: str) -> list[dict[str, Any]]:
    """The arguments of DECIDE."""
    return [
        argument("theta", "Double", theta),
        argument("n", "Int", n),
        argument("flip", "Boolean", flip),
        argument("axis", "Pauli", axis),
    ]
