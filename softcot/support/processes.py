"""The processes that share a work: one, or as many as `accelerate launch` started."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, reduce

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """All processes of this work; on a machine with one, everything here changes nothing."""

    state: PartialState
    device: torch.device
    """Where this process computes."""

    @classmethod
    def of(cls, device: torch.device) -> "Processes":
        """Join the others, whose GPU is then this process's own; once joined, always joined."""
        return cls(PartialState(cpu=device.type == "cpu"), device)

    @property
    def main(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.state.is_main_process

    def share(self, items: Sequence[T]) -> list[T]:
        """Those of some items that are this process's; there may be none."""
        return list(items[self.state.process_index :: self.state.num_processes])

    def own(self, path: Path) -> Path:
        """A file of this process: the path itself where there is only one."""
        number, count = self.state.process_index, self.state.num_processes
        return path if count == 1 else path.with_name(f"{path.name}.{number + 1}-of-{count}")

    def everyone(self, items: list[T]) -> list[T]:
        """The items of all processes, those of the first one first."""
        return gather_object(items)

    def gathered(self, numbered: list[tuple[int, torch.Tensor]]) -> list[torch.Tensor]:
        """The CPU tensors of all processes, in the order of their numbers."""
        return [value for _, value in sorted(gather_object(numbered), key=lambda pair: pair[0])]

    def total(self, value: float) -> float:
        """The sum of a number over the processes."""
        if self.state.num_processes == 1:
            return value
        return reduce(torch.tensor(value, device=self.device), "sum").item()

    def any(self, flag: bool) -> bool:
        """Whether it holds in one of the processes."""
        return self.total(int(flag)) > 0

    def sum_gradients(self, weights: Iterable[torch.Tensor]) -> None:
        """Give every process the sum of all gradients; one that has none adds nothing."""
        if self.state.num_processes > 1:
            for weight in weights:
                grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                weight.grad = reduce(grad, "sum")

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.state.wait_for_everyone()

    def leave(self) -> None:
        """End what `of` began, at the end of the program."""
        self.state.destroy_process_group()
