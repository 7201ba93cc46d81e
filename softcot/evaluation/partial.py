"""The rows of an evaluation that are answered so far, kept so that a kill loses little."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from softcot.evaluation.records import Row
from softcot.support.errors import UserError
from softcot.support.files import json_text, naming, write_text
from softcot.support.processes import Processes
from softcot.support.reading import read_text, reason


class PartialRecord:
    """The rows answered so far, by seed, problem and sample, and on disk if it has a path.

    The file has the settings on its first line and a batch on each further one.
    """

    def __init__(self, path: str | Path | None, settings: dict[str, Any]):
        self.path = None if path is None else Path(path)
        self.rows: dict[tuple[int, int, int], Row] = {}
        self.seconds = 0.0
        if self.path is None:
            return
        head = json_text(settings)
        if not self.path.exists():
            write_text(self.path, f"{head}\n")
            return
        try:
            self._restore(head)
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path} cannot be gone on with ({reason(error)}); delete it to start this "
                "evaluation."
            ) from error

    def _restore(self, head: str) -> None:
        assert self.path is not None
        # A kill may have left half a line at the end.
        whole = read_text(self.path).split("\n")[:-1]
        if whole[:1] != [head]:
            raise ValueError(
                "it holds an unfinished evaluation with other settings, models or code"
            )
        for line in whole[1:]:
            self._take(line)
        write_text(self.path, "".join(f"{line}\n" for line in whole))

    def missing(self, seed: int, numbers: Sequence[int]) -> list[int]:
        """Those of the problems' numbers that have no row yet."""
        return [i for i in numbers if (seed, i, 0) not in self.rows]

    def add(self, numbers: list[int], rows: list[Row], seconds: float) -> None:
        """Keep the rows of one batch, those of each problem together."""
        line = json_text([numbers, [asdict(row) for row in rows], seconds])
        self._take(line)
        if self.path is not None:
            with naming(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def join(self, processes: Processes) -> None:
        """Add the rows of all other processes; the slowest one decides the time."""
        found = processes.everyone([(self.rows, self.seconds)])
        self.rows = {place: row for rows, _ in found for place, row in rows.items()}
        self.seconds = max(seconds for _, seconds in found)

    def _take(self, line: str) -> None:
        numbers, rows, seconds = json.loads(line)
        found = [Row(**row) for row in rows]
        places = [i for i in numbers for _ in range(len(rows) // len(numbers))]
        pairs = zip(places, found, strict=True)
        self.rows |= {(row.seed, i, row.sample): row for i, row in pairs}
        self.seconds += seconds
