"""The opaque operator that checks what a loss is given, where torch.compile need not follow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from imle_core.engine._binding import Binding
from imle_core.engine._plan import check_theta, feasible
from imle_core.engine._vmap import rows_first
from imle_core.errors import InvalidTargetError, InvalidThetaError

torch.library.define(
    "imle::check_input", "(Tensor rows, Tensor? instances, str name, str kind, Tensor handle) -> Tensor"
)
check_input = torch.ops.imle.check_input.default


@torch.library.impl("imle::check_input", "CompositeExplicitAutograd")
def _check_input(rows: Tensor, instances: Tensor | None, name: str, kind: str, handle: Tensor) -> Tensor:
    """Return a copy of rows that are what they should be; its use keeps the check in a compiled graph.

    Args:
        rows: Shape ``(N, *event)``.
        instances: Numbers of the rows' instances, shape ``(N,)``, or None.
        name: Of the argument, for the message.
        kind: ``"parameters"`` of a solver, in its own sense; ``"natural"`` ones, of the exponential family, which may
            be negative costs; a ``"structure"``; one of ``"binary"`` entries; or a ``"mean"`` of structures.
        handle: Of the binding that holds the solver, see :meth:`Binding.handle`.
    """
    binding = Binding.of(handle)
    if rows.numel() > 0:
        if kind in ("parameters", "natural"):
            try:
                check_theta(binding.solver, rows, 1, policy=kind == "parameters")
            except InvalidThetaError as error:
                raise InvalidThetaError(str(error).replace("theta has", f"{name} has", 1)) from None
        else:
            _check_states(binding, rows, instances, name, kind)
    return rows.clone(memory_format=torch.contiguous_format)


@torch.library.register_fake("imle::check_input")  # type: ignore[untyped-decorator]
def _(rows: Tensor, instances: Tensor | None, name: str, kind: str, handle: Tensor) -> Tensor:
    return torch.empty_like(rows, memory_format=torch.contiguous_format)


@torch.library.register_vmap("imle::check_input")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    rows: Tensor,
    instances: Tensor | None,
    name: str,
    kind: str,
    handle: Tensor,
) -> tuple[Tensor, int]:
    rows = rows_first(rows, in_dims[0], info.batch_size, at=0)
    if instances is not None:
        instances = rows_first(instances, in_dims[1], info.batch_size, at=0).flatten()
    return check_input(rows.flatten(0, 1), instances, name, kind, handle).reshape(rows.shape), 0


def _check_states(binding: Binding, rows: Tensor, instances: Tensor | None, name: str, kind: str) -> None:
    solver = binding.solver
    output = "binary" if kind == "binary" else solver.output

    def require(good: Tensor, wanted: str) -> None:
        if not good.all():
            first = tuple((~good).nonzero()[0].tolist())
            raise InvalidTargetError(
                f"{solver.name}: row {first[0]}: {name} has {rows[first].item():g} at index {first[1:]}; {wanted}."
            )

    require(torch.isfinite(rows), "use finite values")
    if kind == "mean":
        if output == "binary":
            require((rows >= 0) & (rows <= 1), "a mean of binary structures has entries in [0, 1]")
    elif output == "binary":
        require((rows == 0) | (rows == 1), "a binary structure has entries 0 and 1")
    elif output == "integer":
        require(rows == rows.round(), "the solver's structures have integer entries")
    if binding.validate != "full":
        return
    whole = torch.arange(len(rows), device=rows.device)
    if kind == "mean" and output != "real":  # a mean that is no structure has nothing to be checked against
        whole = (rows == rows.round()).reshape(len(rows), -1).all(1).nonzero().squeeze(1)
    if len(whole) == 0:
        return
    numbers = None if instances is None else instances[whole.to(instances.device)]
    good = feasible(solver, rows[whole], None if numbers is None else binding.prepared(numbers))
    if not good.all():
        row = int(whole[int((~good).nonzero()[0])])
        raise InvalidTargetError(
            f"{solver.name}: row {row}: {name} is no structure of the set: {rows[row].tolist()}."
        )
