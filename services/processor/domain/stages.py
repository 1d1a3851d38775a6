"""A job with a step that needs all rows, over several parts, goes in two stages.

The first does the steps before it for each part and keeps what comes out as rows; the second does the others over the
rows of all parts. Any other job has one stage.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Stage:
    """What a part does of its pipeline. `row_steps`: so many steps belong to the first of two stages.

    `slices_before`: so many slices of the input lie before those of this part, which is one of a first stage.
    """

    kind: Literal["only", "first", "second"] = "only"
    row_steps: int = 0
    slices_before: int = 0

    @property
    def begin(self) -> int:
        """The first of its steps."""
        return self.row_steps if self.kind == "second" else 0

    def has_step(self, number: int) -> bool:
        if self.kind == "first":
            return number < self.row_steps
        return number >= self.begin


ONLY = Stage()
