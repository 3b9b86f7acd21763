"""A QIR module with two entry points, 5 divided by a measured bit: `by_one` gives 5, `by_zero` fails as it runs."""

from __future__ import annotations

_QUBIT = "%Qubit* inttoptr (i64 0 to %Qubit*)"
_RESULT = "%Result* inttoptr (i64 0 to %Result*)"
_LABEL = "i8* getelementptr inbounds ([4 x i8], [4 x i8]* @0, i64 0, i64 0)"


def _entry_point(name: str, prepare: str) -> str:
    return f"""
define i64 @{name}() #0 {{
start:
  call void @__quantum__rt__initialize(i8* null)
  {prepare}
  call void @__quantum__qis__mresetz__body({_QUBIT}, {_RESULT})
  %bit = call zeroext i1 @__quantum__rt__read_result({_RESULT})
  br i1 %bit, label %one, label %end
one:
  br label %end
end:
  %divisor = phi i64 [0, %start], [1, %one]
  %quotient = sdiv i64 5, %divisor
  call void @__quantum__rt__int_record_output(i64 %quotient, {_LABEL})
  ret i64 0
}}
"""


_FLAGS = '"qir_profiles"="adaptive_profile" "required_num_qubits"="1" "required_num_results"="1"'

DIVISIONS = f"""%Result = type opaque
%Qubit = type opaque
@0 = internal constant [4 x i8] c"0_i\\00"
{_entry_point("by_one", f"call void @__quantum__qis__x__body({_QUBIT})")}
{_entry_point("by_zero", "")}
declare void @__quantum__rt__initialize(i8*)
declare void @__quantum__qis__x__body(%Qubit*)
declare void @__quantum__qis__mresetz__body(%Qubit*, %Result*) #1
declare zeroext i1 @__quantum__rt__read_result(%Result*)
declare void @__quantum__rt__int_record_output(i64, i8*)
attributes #0 = {{ "entry_point" "output_labeling_schema" {_FLAGS} }}
attributes #1 = {{ "irreversible" }}
!llvm.module.flags = !{{!0, !1, !2, !3, !4}}
!0 = !{{i32 1, !"qir_major_version", i32 1}}
!1 = !{{i32 7, !"qir_minor_version", i32 0}}
!2 = !{{i32 1, !"dynamic_qubit_management", i1 false}}
!3 = !{{i32 1, !"dynamic_result_management", i1 false}}
!4 = !{{i32 5, !"int_computations", !{{!"i64"}}}}
"""
