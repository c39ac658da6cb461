"""A linear layer written as a product of several, inside a network with one layer of ReLU, on handwritten digits.

The network is z = R relu(W_L ... W_1 x), trained by stochastic gradient descent on the cross-entropy of softmax(z). The
functions it can represent do not depend on L; what descent finds may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlnlib._unchecked import product_of
from dlnlib._validate import Array, Weights, as_array, as_count, as_rng, as_scalar, as_steps, as_weights, finite_result

__all__ = ["Digits", "Run", "accuracy", "cross_entropy", "digits", "features", "train"]


@dataclass(frozen=True, eq=False)
class Digits:
    """Images (n, 64) with brightness from 0 to 1 and labels (n,) from 0 to 9, to train on and to test with.

    flipped : (n,), True for the images to train on whose label is wrong on purpose.
    """

    X: Array
    labels: NDArray[np.int64]
    X_test: Array
    labels_test: NDArray[np.int64]
    flipped: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Run:
    """A training run. epochs : (n_t,). weights : layers (n_t, d_l, d_{l-1}). readout : (n_t, classes, d_L)."""

    epochs: NDArray[np.int64]
    weights: Weights
    readout: Array

    @property
    def product(self) -> Array:
        """The linear layer as the network sees it, (n_t, d_L, d_0)."""
        return product_of(self.weights)


def digits(n_train: int = 1000, *, rng: np.random.Generator, flip: float = 0.0) -> Digits:
    """Return the 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn, shuffled and split.

    n_train : images to train on, up to 1,700; the others are for testing. flip : share of the training labels that is
    replaced by another class, drawn at random. Needs scikit-learn. Source: UCI repository, test set of Alpaydin & Kaynak.
    """
    generator, n, share = as_rng(rng), as_count("n_train", n_train), as_scalar("flip", flip, nonnegative=True)
    if n > 1700 or share > 1:
        raise ValueError(f"n_train must be at most 1700 and flip at most 1, got {n} and {share:g}")
    bundled: Any = import_module("sklearn.datasets").load_digits()
    order = generator.permutation(len(bundled.target))
    X, labels = bundled.data[order] / 16.0, bundled.target[order].astype(np.int64)
    train_labels = labels[:n].copy()
    wrong = generator.random(n) < share
    train_labels[wrong] = (train_labels[wrong] + generator.integers(1, 10, int(wrong.sum()))) % 10
    return Digits(X[:n], train_labels, X[n:], labels[n:], wrong)


def features(weights: Sequence[ArrayLike], X: ArrayLike) -> Array:
    """Return relu(W_L ... W_1 x) for every row x of X (n, d_0), shape (n, d_L)."""
    layers, inputs = as_weights(weights), as_array("X", X, ndim=2)
    if layers[0].ndim != 2 or inputs.shape[1] != layers[0].shape[1]:
        raise ValueError(f"X of shape {inputs.shape} does not fit W_1 of shape {layers[0].shape}; give (n, d_0) and one network")
    with np.errstate(over="ignore", invalid="ignore"):
        hidden = np.einsum("ni,ji->nj", inputs, finite_result("the product of the layers", product_of(layers)))
        return finite_result("what enters the hidden units", np.maximum(hidden, 0.0))


def accuracy(weights: Sequence[ArrayLike], readout: ArrayLike, X: ArrayLike, labels: ArrayLike) -> float:
    """Return the share of rows of X whose largest output is their label.

    readout : R, (classes, d_L). X : (n, d_0). labels : (n,), whole numbers from 0.
    """
    z, wanted = _outputs(weights, readout, X, labels)
    return float(np.mean(z.argmax(axis=1) == wanted))


def cross_entropy(weights: Sequence[ArrayLike], readout: ArrayLike, X: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean of -ln of the probability that softmax gives to the label, in nats. Arguments as in `accuracy`."""
    z, wanted = _outputs(weights, readout, X, labels)
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), wanted]))


def train(
    data: Digits,
    weights: Sequence[ArrayLike],
    readout: ArrayLike,
    step: float,
    n_epochs: int,
    *,
    rng: np.random.Generator,
    batch_size: int = 50,
    record: int | Sequence[int] = 1,
) -> Run:
    """Train all layers and the readout by stochastic gradient descent without momentum or decay.

    data : to train on. weights : layers of the product, as in `features`. readout : (classes, d_L). step : learning rate.
    n_epochs : passes through the data, each in a new random order. batch_size : of images a step. record : keep every
    `record`-th epoch (first and last always), or the listed ones. Raises ValueError when training diverges.
    """
    if not isinstance(data, Digits):
        raise ValueError(f"data must be Digits, got {type(data).__name__}")
    eta, count, size = (
        as_scalar("step", step, positive=True),
        as_count("n_epochs", n_epochs, minimum=0),
        as_count("batch_size", batch_size),
    )
    kept, generator = as_steps(record, count), as_rng(rng)
    _outputs(weights, readout, data.X, data.labels)  # checks that everything fits
    layers, R = as_weights(weights), as_array("readout", readout)
    one_hot = np.eye(len(R))[data.labels]
    records = [(layers, R)] if 0 in kept else []
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(1, count + 1):
            order = generator.permutation(len(data.X))
            for first in range(0, len(order), size):
                chosen = order[first : first + size]
                slopes, slope = _gradients(layers, R, data.X[chosen], one_hot[chosen])
                layers, R = tuple(W - eta * g for W, g in zip(layers, slopes, strict=True)), R - eta * slope
            if not all(np.all(np.abs(W) < 1e50) for W in (*layers, R)):
                raise ValueError(f"training with step {eta:g} diverged in epoch {epoch}; take a smaller step")
            if epoch in kept:
                records.append((layers, R))
    stacked = tuple(np.stack([entry[0][i] for entry in records]) for i in range(len(layers)))
    return Run(np.array(kept), stacked, np.stack([entry[1] for entry in records]))


def _gradients(layers: Weights, R: Array, X: Array, one_hot: Array) -> tuple[Weights, Array]:
    """Return the gradients of the mean cross-entropy for the layers and for the readout."""
    below = list(accumulate(layers, lambda h, W: h @ W.T, initial=X))
    hidden = np.maximum(below[-1], 0.0)
    z = hidden @ R.T
    p = np.exp(z - z.max(axis=1, keepdims=True))
    error = (p / p.sum(axis=1, keepdims=True) - one_hot) / len(X)
    signal, result = (error @ R) * (below[-1] > 0), []
    for h, W in zip(reversed(below[:-1]), reversed(layers), strict=True):
        result.append(signal.T @ h)
        signal = signal @ W
    return tuple(reversed(result)), error.T @ hidden


def _outputs(
    weights: Sequence[ArrayLike], readout: ArrayLike, X: ArrayLike, labels: ArrayLike
) -> tuple[Array, NDArray[np.int64]]:
    hidden, R, wanted = features(weights, X), as_array("readout", readout, ndim=2), np.asarray(labels)
    if R.shape[1] != hidden.shape[1]:
        raise ValueError(f"readout must have {hidden.shape[1]} columns, one for each hidden unit, got shape {R.shape}")
    if wanted.shape != (len(hidden),) or wanted.dtype.kind not in "iu" or wanted.min() < 0 or wanted.max() >= len(R):
        raise ValueError(f"labels must be {len(hidden)} whole numbers from 0 to {len(R) - 1}")
    with np.errstate(over="ignore", invalid="ignore"):
        return finite_result("the output", np.einsum("nh,kh->nk", hidden, R)), wanted.astype(np.int64)
