"""dlnlib against a plain PyTorch full-batch loop: same data, same start, same float64 arithmetic, equal accuracy.

Two tasks: hierarchical data with 8 items, 30 hidden units and 10,000 features, and a 100-100-100 teacher with 100,000
samples; 250 steps each. For descent both take the same steps and must end at the same weights. For flow, dlnlib's
integrator with a loose tolerance is timed at an error no larger than that of the descent, which is PyTorch's only road
to the flow. Times are medians of several runs, on one thread; computing the moments is included. A road that takes
longer than 20 s is run once.

Run with `make bench`. PyTorch is not needed for anything else.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import dlnlib as dln
from dlnlib import Moments, gradient_descent, gradient_flow

try:
    import torch
except ModuleNotFoundError:
    sys.exit("the benchmark compares with PyTorch, which is not installed: pip install -r requirements-bench.txt")

STEPS = 250
RUNS = 5


def diffusion_on_a_tree(n_features: int, flip: float, rng: np.random.Generator) -> np.ndarray:
    """Return features (8, n_features) of the leaves of a binary tree: +-1 at the root, flipped along each edge at random."""
    values = rng.choice([-1.0, 1.0], size=(1, n_features))
    for _ in range(3):
        values = np.repeat(values, 2, axis=0)
        values = values * np.where(rng.random(values.shape) < flip, -1.0, 1.0)
    return values


def hierarchical_task() -> tuple:
    rng = np.random.default_rng(0)
    X, Y = np.eye(8), diffusion_on_a_tree(10_000, 0.15, rng)
    start = dln.initialise.gaussian((8, 30, 10_000), rng=rng, scale=1e-3)
    top = float(np.linalg.svd(Y.T @ X / 8, compute_uv=False)[0])
    return "8-30-10000 hierarchical", X, Y, start, 0.1 / top


def teacher_task() -> tuple:
    rng = np.random.default_rng(1)
    teacher = dln.datasets.random_teacher(np.linspace(3, 0.5, 100), 100, 100, rng=rng)
    X, Y = dln.datasets.gaussian_samples(teacher, 100_000, rng=rng, noise=0.1)
    start = dln.initialise.gaussian((100, 100, 100), rng=rng, scale=0.02)
    return "100-100-100 teacher, 100,000 samples", X, Y, start, 0.03


def torch_loop(X: np.ndarray, Y: np.ndarray, start: tuple, step: float) -> tuple:
    """The loop that everybody writes: autograd on the mean squared error, plain SGD on the full batch."""
    inputs, outputs = torch.from_numpy(X), torch.from_numpy(Y)
    layers = [torch.tensor(W, requires_grad=True) for W in start]
    optimiser = torch.optim.SGD(layers, lr=step)
    for _ in range(STEPS):
        hidden = inputs
        for W in layers:
            hidden = hidden @ W.T
        loss = 0.5 * ((hidden - outputs) ** 2).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return tuple(W.detach().numpy() for W in layers)


def timed(function: Callable[[], tuple]) -> tuple[float, tuple]:
    seconds: list[float] = []
    while len(seconds) < RUNS and max(seconds, default=0.0) < 20.0:
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), result


def distance(one: tuple, other: tuple) -> float:
    """Relative distance of two end-to-end matrices."""
    A, B = dln.product(one), dln.product(other)
    return float(np.linalg.norm(A - B) / np.linalg.norm(B))


def compare(name: str, X: np.ndarray, Y: np.ndarray, start: tuple, step: float) -> None:
    horizon = STEPS * step

    def moments() -> Moments:
        return Moments.from_data(X, Y, full_yy=False)

    def descent() -> tuple:
        return gradient_descent(start, moments(), step, STEPS, record=[STEPS]).final

    def flow() -> tuple:
        return gradient_flow(start, moments(), [horizon], rtol=1e-4, atol=1e-8).final

    t_torch, by_torch = timed(lambda: torch_loop(X, Y, start, step))
    t_descent, by_descent = timed(descent)
    t_flow, by_flow = timed(flow)
    exact = gradient_flow(start, moments(), [horizon], rtol=1e-10, atol=1e-13).final
    same, lag, error = distance(by_descent, by_torch), distance(by_torch, exact), distance(by_flow, exact)
    print(f"\n{name}, {STEPS} steps of {step:.3g}")
    print(f"  PyTorch descent   {t_torch:9.4f} s   distance to the flow {lag:.1e}")
    print(f"  dlnlib descent    {t_descent:9.4f} s   distance to PyTorch {same:.1e}   ratio {t_torch / t_descent:6.1f}")
    print(f"  dlnlib flow       {t_flow:9.4f} s   distance to the flow {error:.1e}   ratio {t_torch / t_flow:6.1f}")
    if same > 1e-9:
        sys.exit(f"the two descents differ by {same:.1e}: the comparison is not fair")
    if error > lag:
        sys.exit(f"the integrated flow is off by {error:.1e}, more than the descent's {lag:.1e}: not equal accuracy")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"numpy {np.__version__}, PyTorch {torch.__version__}, median of up to {RUNS} runs, ratio = PyTorch / dlnlib")
    for task in (hierarchical_task, teacher_task):
        compare(*task())
