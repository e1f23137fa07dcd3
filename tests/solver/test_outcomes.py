"""How searches ended, as solvers tell it and as users learn it."""

import logging

import numpy as np
import pytest
import torch
from toys import TopK

import imle_core as imle
from imle_core.errors import SolverError, SolverTimeoutError


class Searching(TopK):
    """Best of n, which tells how it went: rows whose first entry is the largest ran out of time."""

    on_timeout = "use"
    gaps = True

    def solve(self, theta):
        z = super().solve(theta)
        late = theta.argmax(1) == 0
        statuses = np.where(late, imle.Status.TIME_LIMIT, imle.Status.OPTIMAL)
        gaps = np.where(late, 0.25, 0.0) if self.gaps else None
        self.note_outcomes(statuses, (z * theta).sum(1), gaps, on_timeout=self.on_timeout)
        return z


THETA = np.array([[40.0, 1.0, 2.0], [1.0, 30.0, 2.0]])


def test_outcomes_of_direct_calls_are_collected_in_units_of_the_theta_that_was_given():
    with imle.Outcomes() as outcomes:
        Searching(1).solve(THETA)
        Searching(1).solve(THETA[1:])
    assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT, imle.Status.OPTIMAL, imle.Status.OPTIMAL]
    assert outcomes.objectives.tolist() == [40.0, 30.0, 30.0]
    assert outcomes.gaps.tolist() == [0.25, 0.0, 0.0]
    assert outcomes.timeouts == 1


def test_a_direct_call_that_nobody_watches_warns_of_timeouts(caplog):
    with caplog.at_level(logging.WARNING, logger="imle_core"):
        Searching(1).solve(THETA)
    assert caplog.messages == ["Searching: the search ended at its time limit for 1 rows."]


def test_on_timeout_error_names_the_row():
    solver = Searching(1)
    solver.on_timeout = "error"
    with pytest.raises(SolverTimeoutError, match=r"Searching: row 0: the search ended at its time limit"):
        solver.solve(THETA)
    with pytest.raises(TimeoutError):
        solver.solve(THETA)


@pytest.mark.parametrize("samples", [1, 3])
def test_the_report_of_a_layer_has_the_outcomes_of_its_forward_pass(samples):
    layer = imle.SolverLayer(Searching(1), imle.IMLE(samples=samples, tau=1e-6))
    theta = torch.tensor(THETA, requires_grad=True)
    (layer(theta) * torch.randn(2, 3)).sum().backward()
    report = layer.last_report
    assert report.statuses.tolist() == [[2, 0]] * samples
    np.testing.assert_allclose(report.objectives, np.tile([40.0, 30.0], (samples, 1)), atol=1e-3)
    assert report.gaps.tolist() == [[0.25, 0.0]] * samples
    assert report.timeouts >= samples


def test_what_is_not_told_is_nan():
    solver = Searching(1)
    solver.gaps = False
    with imle.Outcomes() as outcomes:
        solver.solve(THETA)
    assert np.isnan(outcomes.gaps).all()


class Miscounting(TopK):
    def solve(self, theta):
        self.note_outcomes(np.zeros(len(theta) + 1), np.zeros(len(theta)))
        return super().solve(theta)


def test_outcomes_that_are_not_one_a_row_are_the_solvers_error():
    with imle.Outcomes(), pytest.raises(SolverError, match="note_outcomes takes one number for each row"):
        Miscounting(1).solve(THETA)
