"""What the sampler and the estimator have in common: a mode, and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from antiphon.qiskit.backend import AntiphonBackend
from antiphon.qiskit.modes import Mode
from antiphon.qiskit.options import EstimatorOptions, SamplerOptions, coerce_options
from antiphon.qiskit.session import Session

OptionsT = TypeVar("OptionsT", SamplerOptions, EstimatorOptions)


class Primitive(Generic[OptionsT]):
    """A primitive that runs in a mode, with options of its own kind.

    Args:
        mode: An `AntiphonBackend`, a `Session` or `Batch`, or None for the innermost open `with`.
        options: Options of the primitive, or a dict of them.

    Raises:
        AntiphonError: There is no such mode or option; says which there are.
    """

    _options_kind: ClassVar[type[Any]]

    def __init__(
        self,
        mode: AntiphonBackend | Session | None = None,
        *,
        options: OptionsT | Mapping[str, Any] | None = None,
    ) -> None:
        self._mode = Mode(mode)
        self._options: OptionsT = coerce_options(self._options_kind, options)

    @property
    def options(self) -> OptionsT:
        """The options, to be read and set."""
        return self._options

    @property
    def mode(self) -> Session | None:
        """The session or batch it runs in; None when it was made for a backend."""
        return self._mode.session

    def backend(self) -> AntiphonBackend:
        """The backend it runs on."""
        return self._mode.backend
