"""Baselines of estimators that weigh samples by what the loss says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from imle_core._checks import require_choice

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core.noise import Draws

Baseline = Literal["loo", "none"]


def check_baseline(owner: str, baseline: Baseline, draws: Draws, samples: int) -> None:
    """Raise ValueError unless the baseline leaves the estimate unbiased with these draws."""
    require_choice(owner, "baseline", baseline, ("loo", "none"))
    if baseline == "none":
        return
    if draws == "sobol":
        raise ValueError(
            f"{owner}: baseline='loo' is biased with draws='sobol', which depend on each other. Use baseline='none'."
        )
    if draws == "antithetic" and (samples < 4 or samples % 2):
        raise ValueError(
            f"{owner}: baseline='loo' with draws='antithetic' needs an even number of samples of at least 4; got "
            f"{samples}. Use baseline='none'."
        )
    if samples < 2:
        raise ValueError(
            f"{owner}: baseline='loo' needs samples of at least 2; got {samples}. Use baseline='none'."
        )


def less_baseline(reward: Tensor, baseline: Baseline, draws: Draws) -> Tensor:
    """Return rewards less the mean of those that are independent of each, shape ``(S, N)``.

    All others, or with antithetic draws all other pairs: r_s - (sum r - sum of its group) / (S - size of the group).
    """
    if baseline == "none":
        return reward
    size = 2 if draws == "antithetic" else 1
    group = reward.reshape(size, reward.shape[0] // size, reward.shape[1]).sum(0).repeat(size, 1)
    return reward - (reward.sum(0) - group) / (reward.shape[0] - size)


def weighted_score(reward: Tensor, score: Tensor) -> Tensor:
    """Return the mean over samples of ``reward * score``: (S, N) and (S, N, *event) to (N, *event)."""
    flat = score.reshape(*score.shape[:2], score.shape[2:].numel())
    product = reward.transpose(0, 1).unsqueeze(1) @ flat.transpose(0, 1)
    return product.reshape(score.shape[1:]) / reward.shape[0]
