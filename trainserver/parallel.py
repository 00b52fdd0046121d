# pyright: basic
# torch is only partly typed.
"""The processes that train one job together, one a GPU, as `accelerate launch` starts them.

Each holds the whole model and computes its share of every batch; the gradients of the adapter, which are
small, are added up, so that all make the same step. A batch therefore means the same however many take part.
The first process alone writes: events, checkpoints, states.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainserver.errors import LostPeer

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def size() -> int:
    """How many processes train this job; 1 unless a launcher says otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def starter() -> int | None:
    """The process that started the job: this one's parent, or with several processes their launcher's."""
    parent = os.getppid()
    if size() == 1:
        return parent
    try:
        stat = Path(f"/proc/{parent}/stat").read_text()
    except OSError:
        return None
    return int(stat.rsplit(")", 1)[1].split()[1])


class Group:
    """This process and those it trains with; alone by itself until `join` finds others."""

    def __init__(self, rank: int = 0, count: int = 1, device: str = "cpu") -> None:
        self.rank = rank
        self.count = count
        self.device = device

    @classmethod
    def join(cls) -> Group:
        """Meet the others, if there are any; returns when all are there. Raises `LostPeer`."""
        if size() == 1:
            return cls()
        import torch
        from torch import distributed

        local, on_gpu = int(os.environ["LOCAL_RANK"]), torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(local)
        _together(lambda: distributed.init_process_group("nccl" if on_gpu else "gloo"))
        device = f"cuda:{local}" if on_gpu else "cpu"
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, units: Sequence[T]) -> Sequence[T]:
        """What this process computes of a batch."""
        return units[self.rank :: self.count]

    def added(self, *numbers: float) -> list[float]:
        """Each number summed over all processes."""
        if self.count == 1:
            return list(numbers)
        import torch
        from torch import distributed

        values = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        _together(lambda: distributed.all_reduce(values))
        return values.tolist()

    def most(self, number: int) -> int:
        """The largest that any process has."""
        if self.count == 1:
            return number
        import torch
        from torch import distributed

        value = torch.tensor(number, device=self.device)
        _together(lambda: distributed.all_reduce(value, op=distributed.ReduceOp.MAX))
        return int(value)

    def add_gradients(self, weights: Sequence[torch.nn.Parameter]) -> None:
        """Give every process the sum of all gradients."""
        if self.count == 1:
            return
        import torch
        from torch import distributed

        parts = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = torch.cat([part.reshape(-1).float() for part in parts])
        _together(lambda: distributed.all_reduce(flat))
        for weight, part in zip(weights, flat.split([one.numel() for one in weights]), strict=True):
            weight.grad = part.view_as(weight).to(weight.dtype)

    def peak(self) -> int:
        """Bytes that this process had at most: of its GPU's memory, without one of main memory."""
        import torch

        if torch.cuda.is_available():
            return torch.cuda.max_memory_reserved()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def leave(self) -> None:
        """Part with the others; what follows is the first process's alone."""
        if self.count > 1:
            from torch import distributed

            _together(distributed.barrier)
            distributed.destroy_process_group()


def _together(work: Callable[[], Any]) -> None:
    try:
        work()
    except RuntimeError as error:
        raise LostPeer(f"Another process of this job is gone: {error}") from error
