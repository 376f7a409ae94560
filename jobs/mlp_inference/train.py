#!/usr/bin/python3
"""Makes model.h5 and digits.h5 from scikit-learn's handwritten digits (Debian: python3-sklearn python3-h5py).

    /usr/bin/python3 jobs/mlp_inference/train.py [FOLDER]

1,797 real images of 8 x 8 pixels, 0 to 16. 1,437 are trained on; 360 are held out and written to digits.h5. The network
is trained in floating point, then quantised: int8 weights, int32 biases, and a multiplier and shift for each hidden layer
such that no image whatsoever can leave 0 .. 255. The accuracy that is written down is that of the quantised network."""
import os
import sys

import h5py
import numpy
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

INPUT_MAX = 16
SHIFT = 16


def quantise(weights, scale_in):
    """int8 weights; one step of their sums in units of the network's own numbers."""
    step = numpy.abs(weights).max() / 127
    return numpy.rint(weights / step).astype(numpy.int8), step * scale_in


def bound(weights, biases, largest):
    return (biases.astype(numpy.int64) + numpy.maximum(weights.astype(numpy.int64), 0).sum(axis=1) * largest).max()


def run(layers, images):
    x = images.astype(numpy.int64)
    for weights, biases, multiplier, shift in layers:
        x = x @ weights.T.astype(numpy.int64) + biases
        if multiplier:
            x = (numpy.maximum(x, 0) * multiplier + (1 << (shift - 1))) >> shift
    return x


def quantised_layers(network):
    layers, scale, largest = [], 1.0, INPUT_MAX
    for k, (coefficients, intercepts) in enumerate(zip(network.coefs_, network.intercepts_)):
        weights, step = quantise(coefficients.T, scale)
        biases = numpy.rint(intercepts / step).astype(numpy.int32)
        if k + 1 == len(network.coefs_):
            layers.append((weights, biases, 0, 0))
            break
        top = int(bound(weights, biases, largest))
        multiplier = (255 << SHIFT) // top
        layers.append((weights, biases, multiplier, SHIFT))
        scale, largest = step * (1 << SHIFT) / multiplier, 255
    return layers


def write(folder, layers, images, labels, accuracy):
    with h5py.File(os.path.join(folder, "model.h5"), "w", libver="earliest") as f:
        f.attrs["input_max"] = numpy.uint32(INPUT_MAX)
        f.attrs["accuracy"] = accuracy
        for k, (weights, biases, multiplier, shift) in enumerate(layers):
            layer = f.create_group(f"layers/{k}")
            layer.create_dataset("weights", data=weights)
            layer.create_dataset("biases", data=biases)
            layer.attrs["multiplier"] = numpy.uint32(multiplier)
            layer.attrs["shift"] = numpy.uint32(shift)
    with h5py.File(os.path.join(folder, "digits.h5"), "w", libver="earliest") as f:
        f.create_dataset("images", data=images)
        f.create_dataset("labels", data=labels)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data.astype(numpy.uint8), digits.target.astype(numpy.uint8), test_size=360, random_state=7,
        stratify=digits.target)
    network = MLPClassifier(hidden_layer_sizes=(32,), alpha=1.0, max_iter=2000, random_state=7)
    network.fit(train_x, train_y)
    layers = quantised_layers(network)
    accuracy = float((run(layers, test_x).argmax(axis=1) == test_y).mean())
    write(folder, layers, test_x, test_y, accuracy)
    print(f"{len(test_y)} held-out images: {network.score(test_x, test_y):.4f} in floating point, {accuracy:.4f} quantised")


if __name__ == "__main__":
    main()
