"""Any model of CP-SAT, with costs of some of its variables open."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ortools.sat.python import cp_model

from imle_core.errors import InvalidInstanceError, SolverParameterError, closest
from imle_ortools._limits import OnTimeout, require_limits
from imle_ortools._sat_model import SatModel, lower, validate_model
from imle_ortools._sat_solver import SatSolver
from imle_ortools._variables import read_variables, require_distinct, sense_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FAR = 2**63 - 1  # what CP-SAT writes for no limit


class CpSat(SatSolver):
    r"""The best solution of a constraint model of OR-Tools, where theta are the costs of some of its variables.

    .. math:: z^*(\theta) = \arg\min_{z} \; \langle z, \theta \rangle + \min_{y : (z, y) \in M} f(y)

    M are the solutions of the model, z the values of ``variables`` and y those of the others. The model is copied, and
    the user's never changes. Of its objective, theta takes the place of the terms of ``variables``; the terms f of
    other variables and the constant stay, and the objective is minimised or maximised as the model says.

    Theta become integers by a power of two, together with f, so that the sums of all terms stay below 2^58; each theta
    keeps 24 bits at least, or all that it has. Where a row's magnitudes differ by more than that allows, it is solved
    in several searches, the larger costs first, which is exact as well: 1 beside 1e17 counts.

    An answer depends on its theta and instance alone, with one worker in CP-SAT, and without a time limit. With a hint
    (of a layer, the forward solution) another one of several best solutions may be found.

    Args:
        model: A ``CpModel``, with or without an objective.
        variables: Its Boolean or integer variables that theta stands for: a list, nested lists, a NumPy array or a
            series of them, whose shape is that of a row of theta; or a dictionary. Not negations ``~x``: give x.
        sense: ``"min"`` for costs, ``"max"`` for scores; for a model without objective, by default ``"min"``.
        output: What the entries of a structure are, ``"binary"`` or ``"integer"``; by default binary where the domains
            of all variables are within 0 and 1.
        time_limit: Seconds for a row, above 0; None for no limit.
        on_timeout: At the time limit, ``"use"`` the best solution found, or ``"error"``. Without one it is an error.
        parameters: Parameters of CP-SAT under its own names, such as ``{"linearization_level": 2}``. Ours are
            ``num_workers=1``, ``random_seed=0``, gap limits 0, and ``cp_model_presolve`` above 1,000 variables and
            constraints only.
        threads: Rows that are solved at the same time; by default as many as there are CPUs.

    Attributes:
        entries: Names of the variables, or keys of the dictionary, in the order of the flattened row.

    Rows may have different domains and limits: an instance is a mapping from names of variables and of linear
    constraints, as ``.with_name("capacity")`` gives them, to ``(low, high)``, None for no limit, or to one number for
    both. It replaces the domain of the variable, or the limits of the constraint.

    ``decode`` returns the values of all variables of the model by name (by index where there is no name of their own),
    the best ones for f; ``encode`` takes such a dictionary. ``is_feasible`` says whether the other variables can be
    completed. ``enumerate_support`` lists the z of a small model without f.

    Raises:
        SolverParameterError: the model is not valid, a variable is not one of it, a domain is too wide to be counted in
            64 bits, CP-SAT has no such parameter.
        InvalidInstanceError: an instance is not valid.
        InfeasibleError: a row has no solution.
        SolverTimeoutError: a row has none within the time limit.

    References:
        Perron and Furnon (2025), OR-Tools. Stuckey (2010), Lazy clause generation: combining the power of SAT and CP.

    Example:
        >>> import numpy as np
        >>> from ortools.sat.python import cp_model
        >>> model = cp_model.CpModel()
        >>> x = [model.new_bool_var(name) for name in ("tent", "stove", "rope")]
        >>> _ = model.add(3 * x[0] + 2 * x[1] + 2 * x[2] <= 4).with_name("weight")
        >>> solver = CpSat(model, x, sense="max")
        >>> z = solver.solve(np.array([[3.0, 2.0, 2.0], [5.0, 2.0, 2.0]]))
        >>> z
        array([[0., 1., 1.],
               [1., 0., 0.]])
        >>> solver.decode(z[0])
        {'tent': 0, 'stove': 1, 'rope': 1}
        >>> solver.solve(np.array([[3.0, 2.0, 2.0]]), instances=[{"weight": (None, 5)}])
        array([[1., 1., 0.]])
    """

    def __init__(
        self,
        model: cp_model.CpModel,
        variables: Any,
        *,
        sense: Literal["min", "max"] | None = None,
        output: Literal["binary", "integer"] | None = None,
        time_limit: float | None = None,
        on_timeout: OnTimeout = "use",
        parameters: Mapping[str, Any] | None = None,
        threads: int | None = None,
    ) -> None:
        if not isinstance(model, cp_model.CpModel):
            raise SolverParameterError(f"model must be a CpModel of OR-Tools; got {type(model).__name__}.")
        require_limits(time_limit, on_timeout)
        covered = read_variables(variables, cp_model.IntVar, lambda variable: variable.name or variable.index)
        for variable in covered.variables:
            if variable.model_proto is not model.proto:
                raise SolverParameterError(f"the variable {variable!r} belongs to another model.")
        columns = [variable.index for variable in covered.variables]
        require_distinct(columns, covered.entries)
        lowered, maximise = lower(model, columns)
        self.sense = sense_of(sense, maximise)
        self.event_shape = self._shape = covered.shape
        self.entries = covered.entries
        self.output = _output(output, lowered)
        self.scale_invariant = not (
            len(lowered.others) or lowered.offset
        )  # a constant is in the reported values
        super().__init__(
            lowered,
            time_limit=time_limit,
            on_timeout=on_timeout,
            parameters=parameters,
            threads=threads,
        )

    def prepare(self, instance: Any) -> SatModel:
        """Return the model with the domains and limits of an instance.

        Raises:
            InvalidInstanceError: it is no mapping, names nothing in the model, or gives no interval.
        """
        own: SatModel = self._own
        if not isinstance(instance, Mapping):
            raise InvalidInstanceError(
                f"{self.name}: an instance is a mapping from names of variables and linear constraints to (low, high); "
                f"got {instance!r}."
            )
        proto = own.copy()
        for name, given in instance.items():
            domain = self._target(own, proto, name)
            low, high = self._interval(name, given)
            domain.clear()
            domain.extend([low, high])
        try:
            changed = own.with_proto(proto)
        except SolverParameterError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None
        self._require_output(_binary(changed))
        fault = validate_model(proto)
        if fault:
            raise InvalidInstanceError(f"{self.name}: the model is not valid with this instance: {fault}")
        return changed

    def _target(self, own: SatModel, proto: Any, name: Any) -> Any:
        """Return the domain of the variable or linear constraint of a name."""
        places = own.places.get(name, [])
        if not places:
            raise InvalidInstanceError(
                f"{self.name}: no variable or constraint of the model is called {name!r}."
                f"{closest(str(name), own.places)}"
            )
        if len(places) > 1:
            raise InvalidInstanceError(f"{self.name}: {len(places)} parts of the model are called {name!r}.")
        is_variable, index = places[0]
        if is_variable:
            return proto.variables[index].domain
        if not proto.constraints[index].has_linear():
            raise InvalidInstanceError(
                f"{self.name}: the constraint {name!r} is not linear, so it has no limits that an instance could give."
            )
        return proto.constraints[index].linear.domain

    def _interval(self, name: Any, given: Any) -> tuple[int, int]:
        try:
            low, high = given if isinstance(given, (tuple, list)) else (given, given)
            limits = (
                -_FAR if low is None else operator.index(low),
                _FAR if high is None else operator.index(high),
            )
        except (TypeError, ValueError):
            limits = (1, 0)
        if not -_FAR <= limits[0] <= limits[1] <= _FAR:
            raise InvalidInstanceError(
                f"{self.name}: {name!r} must be given (low, high), integers of 64 bits or None, low not above "
                f"high, or one integer; got {given!r}."
            )
        return limits

    def decode(  # type: ignore[override]
        self, z: NDArray[Any], *, instance: Any = None
    ) -> dict[str | int, int]:
        """Return the values of all variables of the model by name."""
        model = self._model_of(instance)
        values = self._complete(model, z)
        return {key: int(value) for key, value in zip(model.keys, values, strict=True)}

    def encode(self, structure: Mapping[str | int, int]) -> NDArray[np.float64]:
        """Return the state of a dictionary of values by name, in which those of theta's variables are looked up.

        Raises:
            InvalidSolutionError: one of them is missing.
        """
        return self._look_up(structure).reshape(self._shape)


def _binary(model: SatModel) -> bool:
    low, high = model.limits
    return bool((low >= 0).all() and (high <= 1).all())


def _output(given: str | None, model: SatModel) -> Literal["binary", "integer"]:
    if given not in (None, "binary", "integer"):
        raise SolverParameterError(f"output must be 'binary' or 'integer'; got {given!r}.")
    if given == "binary" and not _binary(model):
        raise SolverParameterError("output='binary', but not all variables have domains within 0 and 1.")
    return "integer" if given == "integer" or not _binary(model) else "binary"
