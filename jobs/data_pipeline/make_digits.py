#!/usr/bin/env python3
"""Writes digits.h5: the handwritten digits of scikit-learn's load_digits, columns of pixels and the labels.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""
import os

import h5py
import numpy as np
from sklearn.datasets import load_digits

FOLDER = os.path.dirname(os.path.abspath(__file__))
SOURCE = "scikit-learn load_digits: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998"


def main():
    digits = load_digits()
    with h5py.File(os.path.join(FOLDER, "digits.h5"), "w") as f:
        f.attrs["source"] = SOURCE
        for name, values in (("pixels", digits.data), ("labels", digits.target)):
            # without times, so that the file is the same whenever it is made
            f.create_dataset(name, data=values.astype(np.uint8), compression="gzip", compression_opts=9, track_times=False)


if __name__ == "__main__":
    main()
