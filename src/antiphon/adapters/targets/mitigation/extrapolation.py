"""From values at several strengths of noise to none, with the error that is left.

Least squares with the inverse variances as weights; the exponential is SciPy's `curve_fit`. The tests compare with
`qiskit_mitigation.zne.extrapolation`.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def polynomial_weights(factors: Floats, variances: Floats, degree: int) -> Floats:
    """What each value counts in the fitted polynomial's value at zero; they sum to 1.

    Args:
        factors: Of the noise, of shape (factors,).
        variances: Of the values; the same weights serve all of them, so one for each factor.
    """
    powers = np.vander(factors, degree + 1, increasing=True)
    largest = float(variances.max())
    trusted = 1.0 / np.maximum(variances, largest * 1e-9) if largest > 0.0 else np.ones_like(variances)
    normal = powers.T * trusted
    return np.asarray(np.linalg.solve(normal @ powers, normal)[0])


def exponential(factors: Floats, values: Floats, variances: Floats) -> tuple[float, float] | None:
    """Of a·exp(b·x) fitted to `values`, a and its variance; None where no such curve fits.

    A curve fits when all values have one sign, and those at amplified noise are not larger.
    """
    from scipy.optimize import OptimizeWarning, curve_fit

    signs = np.sign(values)
    if signs[0] == 0 or (signs != signs[0]).any():
        return None
    slope, start = np.polyfit(factors, np.log(np.abs(values)), 1)
    if slope > 0:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            found, covariance = curve_fit(
                lambda x, a, b: a * np.exp(b * x),
                factors,
                values,
                p0=(float(signs[0] * np.exp(start)), slope),
                sigma=np.sqrt(np.maximum(variances, 1e-300)),
                absolute_sigma=True,
            )
    except (RuntimeError, OptimizeWarning):
        return None
    if not (np.isfinite(found).all() and np.isfinite(covariance).all()):
        return None
    return float(found[0]), float(covariance[0, 0])
