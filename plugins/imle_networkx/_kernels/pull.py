"""One step of Bellman-Ford for a node, for many rows at once in the lanes of vector registers.

Written in LLVM's vector types, because a loop over the lanes does not stay in registers: LLVM cannot prove that
the arrays are distinct, so it stores the running minimum after every arc, which is five times slower.
LLVM splits the vectors into what the processor has (one AVX-512 register for float32, four NEON ones).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

LANES = 16
"""Rows that are solved together."""

_INT64 = ir.IntType(64)


def _pull(costs_on_nodes: bool) -> Callable[..., Any]:
    def pull(
        _: Any, dist: Any, cost: Any, tail: Any, slot: Any, begin: Any, end: Any, node: Any, bound: Any
    ) -> tuple[Any, Callable[..., Any]]:
        """Lower the distance of a node to the best over its in-arcs; return whether any lane got nearer.

        Args:
            dist: Distances, shape ``(nodes, LANES)``.
            cost: Costs, shape ``(slots, LANES)``.
            tail: Tail of each in-arc.
            slot: Row of ``cost`` that holds the cost of each in-arc.
            begin: First in-arc of the node.
            end: One past its last in-arc.
            node: The node; with costs on nodes also the row of ``cost`` of every arc into it.
            bound: Distances above it do not count as nearer, shape ``(LANES,)``.
        """
        signature = types.boolean(dist, cost, tail, slot, begin, end, node, bound)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = context.get_data_type(signature.args[0].dtype)
            vector = ir.VectorType(element, LANES)
            align = 8 if isinstance(element, ir.DoubleType) else 4

            def data(position: int) -> Any:
                array = context.make_array(signature.args[position])
                return array(context, builder, arguments[position]).data

            def row(base: Any, index: Any) -> Any:
                first = builder.gep(base, [builder.mul(index, ir.Constant(_INT64, LANES))])
                return builder.bitcast(first, vector.as_pointer())

            def load(base: Any, index: Any) -> Any:
                return builder.load(row(base, index), align=align)

            def integer(base: Any, index: Any) -> Any:
                return builder.sext(builder.load(builder.gep(base, [index])), _INT64)

            dists, costs, tails, slots, bounds = (data(position) for position in (0, 1, 2, 3, 7))
            first, last, this = arguments[4:7]
            best = cgutils.alloca_once(builder, vector)  # type: ignore[no-untyped-call]
            builder.store(ir.Constant(vector, [float("inf")] * LANES), best)
            with cgutils.for_range_slice(builder, first, last, ir.Constant(_INT64, 1), intp=_INT64) as (
                arc,
                _,
            ):
                candidate = load(dists, integer(tails, arc))
                if not costs_on_nodes:
                    candidate = builder.fadd(candidate, load(costs, integer(slots, arc)))
                current = builder.load(best)
                nearer = builder.fcmp_ordered("<", candidate, current)
                builder.store(builder.select(nearer, candidate, current), best)
            new, old = builder.load(best), load(dists, this)
            if costs_on_nodes:
                new = builder.fadd(new, load(costs, this))
            nearer = builder.fcmp_ordered("<", new, old)
            builder.store(builder.select(nearer, new, old), row(dists, this), align=align)
            counts = builder.and_(
                nearer, builder.fcmp_ordered("<=", new, load(bounds, ir.Constant(_INT64, 0)))
            )
            mask = builder.bitcast(counts, ir.IntType(LANES))
            return builder.icmp_unsigned("!=", mask, ir.Constant(ir.IntType(LANES), 0))

        return signature, generate

    return intrinsic(pull)


pull_over_arcs = _pull(costs_on_nodes=False)
pull_into_node = _pull(costs_on_nodes=True)
