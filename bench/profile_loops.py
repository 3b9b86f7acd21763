"""Where the time of one evaluation goes: python -m bench.profile_loops CASE [EVALUATIONS].

Prints wall time per evaluation without the profiler, then the functions of cProfile by their own time and by cumulative
time, per evaluation. cProfile slows Python code about twice and native code not at all: read it as shares, not times.
"""

from __future__ import annotations

from bench.threads import use_one_thread

use_one_thread()  # before the imports below load NumPy

import argparse  # noqa: E402
import cProfile  # noqa: E402
import pstats  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402

from bench.ours import fresh_lab, session_loop  # noqa: E402
from bench.problems import Expectation, qaoa, vqe_h2, vqe_lih, vqe_tfim  # noqa: E402

PROBLEMS: Mapping[str, Callable[[], Expectation]] = {
    "vqe_h2": vqe_h2,
    "vqe_tfim": vqe_tfim,
    "vqe_lih": vqe_lih,
    "qaoa": qaoa,
}


def main(arguments: list[str] | None = None) -> None:
    """Profile one loop."""
    parser = argparse.ArgumentParser(prog="bench.profile_loops")
    parser.add_argument("case", choices=sorted(PROBLEMS))
    parser.add_argument("evaluations", type=int, nargs="?", default=200)
    parser.add_argument("--lines", type=int, default=30, help="functions to show in each list")
    options = parser.parse_args(arguments)
    with fresh_lab() as lab:
        side = session_loop(lab, PROBLEMS[options.case](), options.evaluations)
        plain = min(side(number).per_unit for number in range(3))
        profiler = cProfile.Profile()
        profiler.enable()
        profiled = side(3)
        profiler.disable()
    print(f"{options.case}: {plain * 1e3:.3f} ms an evaluation, {profiled.per_unit * 1e3:.3f} ms under cProfile")
    statistics = pstats.Stats(profiler).strip_dirs()
    for order in ("tottime", "cumulative"):
        statistics.sort_stats(order).print_stats(options.lines)


if __name__ == "__main__":
    main()
