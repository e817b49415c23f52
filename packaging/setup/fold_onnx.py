#!/usr/bin/env python3
"""Turn a block-quantised ONNX model into a plain float32 one, the same bytes on every machine.

The weights of the fetched models are int8 in blocks (DequantizeLinear with block_size, opset 21), which the pure-Rust
runtime does not read. The block scales are multiplied in here, once; the numbers a run produces stay the same.
Dropout nodes (nothing at inference) and the constant Reshapes behind the weights go too.

usage: fold_onnx.py IN OUT [--free-size]
--free-size leaves height and width of the input open (YuNet is convolutional; its export fixes 640x640).
"""
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def spread(values, like, axis, block):
    """Bring a scale or zero point to the shape of the weights it belongs to."""
    if block:
        return np.repeat(values, block, axis=axis)[tuple(slice(0, d) for d in like.shape)]
    if values.ndim == 1 and like.ndim > 1:
        shape = [1] * like.ndim
        shape[axis] = -1
        return values.reshape(shape)
    return values


def dequantised(node, constant):
    weights = constant[node.input[0]].astype(np.float32)
    scale = constant[node.input[1]].astype(np.float32)
    zero = constant[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.float32(0)
    attrs = attributes(node)
    axis, block = attrs.get("axis", 1), attrs.get("block_size", 0)
    scale = spread(scale, weights, axis, block)
    zero = spread(np.asarray(zero), weights, axis, block if np.ndim(zero) else 0)
    return ((weights - zero) * scale).astype(np.float32)


def fold(model, free_size):
    graph = model.graph
    constant = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    same_as, kept = {}, []
    for node in graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = same_as.get(name, name)
        known = all(name in constant for name in node.input if name)
        if node.op_type == "DequantizeLinear" and known:
            constant[node.output[0]] = dequantised(node, constant)
        elif node.op_type == "Reshape" and known:
            shape = [int(d) for d in constant[node.input[1]]]
            constant[node.output[0]] = constant[node.input[0]].reshape(shape)
        elif node.op_type == "Dropout":
            same_as[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    if any(o.name in same_as or o.name in constant for o in graph.output):
        sys.exit("an output is folded away: this is not the model this script was written for")

    used = {name for node in kept for name in node.input}
    inputs = [i for i in graph.input if i.name in used and i.name not in constant]
    weights = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constant.items() if k in used]
    for key, value in (("node", kept), ("initializer", weights), ("input", inputs)):
        field = getattr(graph, key)
        del field[:]
        field.extend(value)
    del graph.value_info[:]
    if free_size:
        for value in graph.input:
            for axis, name in ((2, "height"), (3, "width")):
                value.type.tensor_type.shape.dim[axis].dim_param = name
        for value in graph.output:
            value.type.tensor_type.shape.dim[1].dim_param = "cells_" + value.name
    onnx.checker.check_model(model)


def main():
    source, target, *options = sys.argv[1:]
    model = onnx.load(source)
    fold(model, "--free-size" in options)
    with open(target, "wb") as out:
        out.write(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
