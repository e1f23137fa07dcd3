"""What one rank of a distributed training does; here, because spawned processes import it by name."""

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import imle_core as imle

RANKS = 2
STEPS = 4
ESTIMATORS = {
    "no noise": imle.BlackBox(),
    "noise": imle.IMLE(samples=4),
    "adaptive": imle.AIMLE(samples=2, target_norm=2.0),
}


def make_model(estimator, seed):
    """A model that ends in a solver layer: equal weights everywhere, noise as the seed says."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear = torch.nn.Linear(6, 8)
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.Sequential(
        linear, imle.SolverLayer("torch.k_subset", estimator, k=3, generator=generator)
    )


def make_share(rank):
    """The share of the data that a rank has: inputs, and weights of the loss, each rank's of its own scale."""
    generator = torch.Generator().manual_seed(100 + rank)
    return (1 + 3 * rank) * torch.randn(5, 6, generator=generator), torch.randn(5, 8, generator=generator)


def back_propagate(model, rank):
    """Return states and gradients of one pass over the share of a rank."""
    x, w = make_share(rank)
    model.zero_grad()
    z = model(x)
    (z * w).sum(1).mean().backward()
    return {"z": z.detach(), "grads": [p.grad.clone() for p in model.parameters()]}


def make_steps(rank, estimator):
    """Return what each of some passes gave, with the adaptive step of the forward pass and after the backward pass."""
    model = DistributedDataParallel(make_model(estimator, seed=5 + rank))
    layer, used = model.module[1], []
    layer.register_forward_pre_hook(lambda layer, _: used.append(copied(layer.state)))
    return [
        {**back_propagate(model, rank), "used": used[-1], "left": copied(layer.state)} for _ in range(STEPS)
    ]


def compile_and_step(rank):
    """Return what the first pass of a compiled model gives, with noise as in make_steps."""
    model = DistributedDataParallel(make_model(ESTIMATORS["noise"], seed=5 + rank))
    return back_propagate(torch.compile(model, backend="aot_eager"), rank)


def copied(state):
    """A buffer that is changed in place, as it is now."""
    return None if state is None else state.clone()


def draw(rank, seed):
    """Return the states of parameters that are equal on all ranks: what differs is the noise."""
    model = DistributedDataParallel(make_model(imle.IMLE(samples=4), seed))
    return model(make_share(0)[0]).detach()


def train(rank, folder):
    """Join the other ranks, train, and leave what happened in a file."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    found = {name: make_steps(rank, estimator) for name, estimator in ESTIMATORS.items()}
    found["compiled"] = compile_and_step(rank)
    found["seed + rank"] = draw(rank, 7 + rank)
    found["equal seeds"] = draw(rank, 7)
    found["trained"] = optimise(rank, folder)
    torch.save(found, f"{folder}/found{rank}.pt")
    dist.destroy_process_group()


def optimise(rank, folder):
    """Take a few steps of an optimiser; return weights and buffers, of which rank 0 leaves a checkpoint."""
    model = DistributedDataParallel(make_model(imle.AIMLE(), seed=5 + rank))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(STEPS):
        back_propagate(model, rank)
        optimiser.step()
    if rank == 0:
        torch.save(model.module.state_dict(), f"{folder}/checkpoint.pt")
    return {name: value.clone() for name, value in model.module.named_parameters()}
