#!/usr/bin/env python3
"""Writes network.asm and digit.txt: a network of two layers for handwritten digits, and one of the digits.

The images are scikit-learn's load_digits (E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI
Machine Learning Repository, 1998): 8 x 8 pixels of 0 .. 16. Weights are rounded to whole numbers; what is printed is the
accuracy, on the images that were not learned from, of the numbers that the program computes with.
"""
import os

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HIDDEN, SHIFT, SCALE = 16, 5, 64
FOLDER = os.path.dirname(os.path.abspath(__file__))


def quantised_layers(model):
    """Whole-numbered weights and biases of both layers: the hidden layer's sums are divided by 2^SHIFT."""
    first, second = model.coefs_
    w1, w2 = np.rint(first * SCALE).astype(int), np.rint(second * SCALE).astype(int)
    b1 = np.rint(model.intercepts_[0] * SCALE).astype(int)
    b2 = np.rint(model.intercepts_[1] * SCALE * SCALE / 2**SHIFT).astype(int)
    return w1, b1, w2, b2


def logits(image, w1, b1, w2, b2):
    hidden = np.maximum(image @ w1 + b1, 0) >> SHIFT
    return hidden @ w2 + b2


def words(label, values):
    lines = []
    flat = [int(v) for v in np.asarray(values).flatten()]
    for at in range(0, len(flat), 16):
        head = label + ":" if at == 0 else ""
        lines.append(f"{head:<8}.word " + ", ".join(str(v) for v in flat[at : at + 16]))
    return "\n".join(lines)


PROGRAM = """; A network of two layers on one image of 8 x 8 pixels, made by make_network.py. Inputs: 64 pixels. Outputs: the digit,
; then the ten sums that it has the largest of, as numbers of 32 bits with a sign.
        .equ    PIXELS, 64
        .equ    HIDDEN, {hidden}
        .equ    DIGITS, 10
        .equ    SIGN, 0x80000000
        .equ    LAYER, 0x1000           ; the hidden layer's values
        LOADIMM r1, LAYER               ; values = pixels times weights
        LOADIMM r2, INPUT+1
        LOADIMM r3, w1
        MATMUL  r1, r2, r3, 1, PIXELS, HIDDEN
        LOADIMM r2, b1
        LOADIMM r6, HIDDEN
relu:   LOAD    r7, r1                  ; the larger of value plus bias and 0, divided by 2^{shift}
        LOAD    r8, r2
        ADD     r7, r7, r8
        RELU    r7, r7
        SHR     r7, r7, {shift}
        STORE   r7, r1
        ADD     r1, r1, 1
        ADD     r2, r2, 1
        SUB     r6, r6, 1
        JNZ     r6, relu
        LOADIMM r1, OUTPUT+2            ; sums = values times weights
        LOADIMM r2, LAYER
        LOADIMM r3, w2
        MATMUL  r1, r2, r3, 1, HIDDEN, DIGITS
        LOADIMM r2, b2
        LOADIMM r6, 0                   ; the digit at hand; r9 is the best so far, r10 its sum plus 2^31
        LOADIMM r9, 0
        LOADIMM r10, 0
best:   LOAD    r7, r1
        LOAD    r8, r2
        ADD     r7, r7, r8
        STORE   r7, r1
        XOR     r7, r7, SIGN
        GT      r8, r7, r10
        JZ      r8, next
        ADD     r9, r6, 0
        ADD     r10, r7, 0
next:   ADD     r1, r1, 1
        ADD     r2, r2, 1
        ADD     r6, r6, 1
        EQ      r8, r6, DIGITS
        JZ      r8, best
        LOADIMM r4, OUTPUT
        STORE   r9, r4, 1
        LOADIMM r7, DIGITS+1
        STORE   r7, r4
        HALT
"""


def main():
    digits = load_digits()
    pixels = digits.data.astype(int)
    learn, test, learn_labels, test_labels = train_test_split(
        pixels, digits.target, test_size=0.2, random_state=1, stratify=digits.target
    )
    model = MLPClassifier((HIDDEN,), random_state=1, max_iter=2000, alpha=0.01)
    model.fit(learn, learn_labels)
    layers = quantised_layers(model)
    right = sum(int(np.argmax(logits(x, *layers)) == y) for x, y in zip(test, test_labels))
    print(f"{right} of {len(test)} right ({right / len(test):.2%})")
    w1, b1, w2, b2 = layers
    with open(os.path.join(FOLDER, "network.asm"), "w", encoding="utf-8") as f:
        f.write(PROGRAM.format(hidden=HIDDEN, shift=SHIFT))
        f.write("\n" + "\n".join([words("w1", w1), words("b1", b1), words("w2", w2), words("b2", b2)]) + "\n")
    with open(os.path.join(FOLDER, "digit.txt"), "w", encoding="utf-8") as f:
        f.write("# One handwritten digit, a " + str(test_labels[0]) + ": 8 x 8 pixels of 0 .. 16, from scikit-learn's ")
        f.write("load_digits (Alpaydin and Kaynak,\n# Optical Recognition of Handwritten Digits, UCI 1998).\n")
        for row in test[0].reshape(8, 8):
            f.write(" ".join(str(v) for v in row) + "\n")
    print("sums:", *logits(test[0], *layers), "label:", test_labels[0])


if __name__ == "__main__":
    main()
