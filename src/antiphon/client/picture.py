"""Pictures as SVG, made without any other package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture. Notebooks show it; `save` writes it."""

    svg: str

    def save(self, path: str | Path) -> Path:
        """Write the SVG there.

        Raises:
            InvalidRequestError: It cannot be written there (code "plot-unwritable").
        """
        path = Path(path)
        try:
            path.write_text(self.svg, encoding="utf-8")
        except OSError as error:
            raise InvalidRequestError(
                f"The picture cannot be written to {str(path)!r}.",
                code="plot-unwritable",
                cause=error.strerror or str(error),
                next_step="Give a file in a folder that exists and that you may write to.",
            ) from error
        return path

    def _repr_svg_(self) -> str:
        return self.svg
