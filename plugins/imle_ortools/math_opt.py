"""Any model of MathOpt, with costs of some of its variables open."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ortools.math_opt.python import mathopt

from imle_core.errors import InvalidInstanceError, SolverParameterError, closest
from imle_ortools._limits import OnTimeout, require_limits
from imle_ortools._linear_model import LinearModel, lower, require_limits_in_order
from imle_ortools._linear_parameters import kind_of, parameters_of, told
from imle_ortools._linear_search import Search
from imle_ortools._model_solver import ModelSolver
from imle_ortools._variables import read_variables, require_distinct, sense_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Output = Literal["binary", "integer", "real"]

_HINTED = ("gscip", "highs", "cp_sat", "gurobi")
"""The solvers that begin at a solution."""


class MathOpt(ModelSolver):
    r"""The best solution of a linear or integer programme of MathOpt, where theta are the costs of some variables.

    .. math:: z^*(\theta) = \arg\min_{z} \; \langle z, \theta \rangle + \min_{y : (z, y) \in M} f(y)

    M are the solutions of the model, z the values of ``variables`` and y those of the others. The model is copied, and
    the user's never changes. Of its objective, theta takes the place of the terms of ``variables``; the terms f of
    other variables and the constant stay, and the objective is minimised or maximised as the model says.

    The whole objective is scaled by a power of two, because the tolerances of solvers are absolute. Beside a cost of
    1e17 they do not see one of 1: where the smaller costs together are less than any step of the larger ones, which
    are of integers, those are solved first, and the smaller choose among the best by them. Otherwise all are solved
    together, with costs beyond 2^30 of the least lowered to that; unless their variables then are at the bounds where
    they cost least, which proves the answer, small costs that can change no total by 1e-9 of the largest cost are taken
    for 0, and where they can it is an error. Every row is solved from the beginning, by a solver made for it, which
    takes no longer than an incremental one and makes answers depend on their row alone.

    An answer that breaks a constraint of integers, with integer coefficients, is an error, whatever the tolerances of
    the solver. Where bounds and coefficients reach 1e8, those may still cost the last of eight digits of the optimum.

    Args:
        model: A ``mathopt.Model`` with a linear objective, or none.
        variables: Its variables that theta stands for: a list, nested lists, a NumPy array or a series of them, whose
            shape is that of a row of theta; or a dictionary.
        solver_type: One of MathOpt's solvers: ``"gscip"``, ``"highs"`` or ``"cp_sat"`` for integer programmes (CP-SAT
            rounds coefficients, and takes no continuous variables), ``"glop"`` for linear ones, ``"pdlp"`` for huge
            linear ones (to a tolerance alone), or another that OR-Tools has been built with.
        sense: ``"min"`` for costs, ``"max"`` for scores; for a model without objective, by default ``"min"``.
        output: What the entries of a structure are; by default binary or integer where the variables are.
        time_limit: Seconds for a row, above 0; None for no limit.
        on_timeout: At the time limit, ``"use"`` the best solution found, or ``"error"``. Without one it is an error.
        parameters: A ``mathopt.SolveParameters``, or a mapping to make one of. Ours are one thread (HiGHS: its own
            choice) and gap tolerances of 0.
        threads: Rows that are solved at the same time; by default as many as there are CPUs.

    Attributes:
        entries: Names of the variables, or keys of the dictionary, in the order of the flattened row.

    Rows may have different bounds: an instance is a mapping from names of variables and of linear constraints to
    ``(low, high)``, None for no limit, or to one number for both. ``decode`` returns the values of all variables by
    name (by number where there is no name of their own), the best ones for f; ``encode`` takes such a dictionary.

    Raises:
        SolverParameterError: the solver does not take the model, or is not there; a variable is not one of the model;
            limits are in the wrong order.
        InvalidInstanceError: an instance is not valid.
        InvalidThetaError: costs of a row are spread too far.
        InfeasibleError, UnboundedError: a row has no solution, or no best one.
        SolverTimeoutError: a row has none within the time limit.
        SolverError: the solver failed, or its tolerances let it break a constraint.

    References:
        Perron and Furnon (2025), OR-Tools. Bolusani et al. (2024), The SCIP Optimization Suite 9.0.

    Example:
        >>> import numpy as np
        >>> from ortools.math_opt.python import mathopt
        >>> model = mathopt.Model()
        >>> x = [model.add_binary_variable(name=name) for name in ("tent", "stove", "rope")]
        >>> _ = model.add_linear_constraint(3 * x[0] + 2 * x[1] + 2 * x[2] <= 4, name="weight")
        >>> solver = MathOpt(model, x, sense="max")
        >>> solver.solve(np.array([[3.0, 2.0, 2.0], [5.0, 2.0, 2.0]]))
        array([[0., 1., 1.],
               [1., 0., 0.]])
        >>> solver.solve(np.array([[3.0, 2.0, 2.0]]), instances=[{"weight": (None, 5)}])
        array([[1., 1., 0.]])
    """

    def __init__(
        self,
        model: mathopt.Model,
        variables: Any,
        *,
        solver_type: str = "gscip",
        sense: Literal["min", "max"] | None = None,
        output: Output | None = None,
        time_limit: float | None = None,
        on_timeout: OnTimeout = "use",
        parameters: Any = None,
        threads: int | None = None,
    ) -> None:
        if not isinstance(model, mathopt.Model):
            raise SolverParameterError(f"model must be a Model of MathOpt; got {type(model).__name__}.")
        require_limits(time_limit, on_timeout)
        covered = read_variables(variables, mathopt.Variable, _entry)
        for variable in covered.variables:
            try:
                model.check_compatible(variable)
            except ValueError:
                raise SolverParameterError(f"the variable {variable!r} belongs to another model.") from None
            if not model.has_variable(variable.id):
                raise SolverParameterError(f"the variable with id {variable.id} was deleted from the model.")
        require_distinct([variable.id for variable in covered.variables], covered.entries)
        lowered, maximise = lower(model, [variable.id for variable in covered.variables])
        self.sense = sense_of(sense, maximise)
        self.event_shape = self._shape = covered.shape
        self.entries = covered.entries
        self.output = _output(output, lowered)
        self.scale_invariant = not (
            len(lowered.others) or lowered.offset
        )  # a constant is in the reported values
        self.solver_type = solver_type
        require_limits_in_order(lowered)
        self._kind = kind_of(solver_type, lowered.proto)
        _require_integers(solver_type, lowered)
        self._given = parameters_of(parameters, solver_type, integer=bool(lowered.integer.any()))
        super().__init__(lowered, time_limit=time_limit, on_timeout=on_timeout, threads=threads)

    def _searcher(self) -> Search:
        return Search(self._kind, self._given, self.time_limit, hinted=self.solver_type in _HINTED)

    def prepare(self, instance: Any) -> LinearModel:
        """Return the model with the bounds and limits of an instance.

        Raises:
            InvalidInstanceError: it is no mapping, names nothing in the model, or gives no interval.
        """
        own = self._own
        if not isinstance(instance, Mapping):
            raise InvalidInstanceError(
                f"{self.name}: an instance is a mapping from names of variables and linear constraints to (low, high); "
                f"got {instance!r}."
            )
        proto = own.copy()
        for name, given in instance.items():
            places = own.places.get(name, [])
            if len(places) != 1:
                what = f"{len(places)} parts" if places else "no variable or linear constraint"
                hint = closest(str(name), own.places) if not places else ""
                raise InvalidInstanceError(f"{self.name}: {what} of the model are called {name!r}.{hint}")
            is_variable, place = places[0]
            target = proto.variables if is_variable else proto.linear_constraints
            target.lower_bounds[place], target.upper_bounds[place] = self._interval(name, given)
        changed = own.with_proto(proto)
        self._require_output(_binary(changed))
        return changed

    def _interval(self, name: Any, given: Any) -> tuple[float, float]:
        low, high = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, given)
        if given is not None and all(
            limit is None or isinstance(limit, numbers.Real) for limit in (low, high)
        ):
            limits = -np.inf if low is None else float(low), np.inf if high is None else float(high)
            if limits[0] <= limits[1]:
                return limits
        raise InvalidInstanceError(
            f"{self.name}: {name!r} must be given (low, high), numbers or None, low not above high, or one number; "
            f"got {given!r}."
        )

    def decode(  # type: ignore[override]
        self, z: NDArray[Any], *, instance: Any = None
    ) -> dict[str | int, float]:
        """Return the values of all variables of the model by name."""
        model = self._model_of(instance)
        return {
            key: int(value) if whole else float(value)
            for key, value, whole in zip(model.keys, self._complete(model, z), model.integer, strict=True)
        }

    def encode(self, structure: Mapping[str | int, float]) -> NDArray[np.float64]:
        """Return the state of a dictionary of values by name, in which those of theta's variables are looked up.

        Raises:
            InvalidSolutionError: one of them is missing.
        """
        return self._look_up(structure).reshape(self._shape)

    def explain(self) -> str:
        """Return in words which solver runs, and how."""
        limit = "none" if self.time_limit is None else f"{self.time_limit:g} s"
        return (
            f"{self.name}: MathOpt's {self.solver_type}, a new solver for each row, the whole objective scaled by a "
            f"power of two; time limit for a row: {limit}; parameters: {told(self._given)}."
        )


def _binary(model: LinearModel) -> bool:
    low, high = model.limits
    return bool(model.integer[model.columns].all() and (low >= 0).all() and (high <= 1).all())


def _require_integers(solver_type: str, model: LinearModel) -> None:
    """Raise SolverParameterError if a variable is continuous and the solver would take it for an integer."""
    if solver_type == "cp_sat" and not model.integer.all():
        name = model.keys[int(model.integer.argmin())]
        raise SolverParameterError(
            f"solver_type='cp_sat' is for integers, and the variable {name!r} is continuous; use 'gscip', 'highs'."
        )


def _entry(variable: mathopt.Variable) -> Any:
    try:
        return variable.name or variable.id
    except ValueError:  # it was deleted, and has a number only
        return variable.id


def _output(given: str | None, model: LinearModel) -> Output:
    """Return what the entries of a structure are; raise SolverParameterError if they are not what was said."""
    whole = bool(model.integer[model.columns].all())
    own: Output = "binary" if _binary(model) else "integer" if whole else "real"
    kinds: tuple[Output, ...] = ("binary", "integer", "real")
    for kind in kinds[kinds.index(own) :]:
        if given in (None, kind):
            return kind
    raise SolverParameterError(
        f"output must be one of {', '.join(map(repr, kinds[kinds.index(own) :]))} for these variables; got {given!r}."
    )
