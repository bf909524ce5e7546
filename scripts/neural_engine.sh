#!/usr/bin/env bash
# On a Mac: how fast the Apple Neural Engine scores seeds, and which parts of the network it takes.
#
#   scripts/neural_engine.sh
#
# Builds seedsieve with the feature `coreml`, measures all backends on the reference model, then has ONNX Runtime say on which
# provider it places each operator. The backend `coreml` is strict: where a part of the network would fall back to the CPU, it
# refuses, and the table says why. ONNX Runtime is looked for as always; `pip install onnxruntime` into .venv installs it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(uname -s)" != Darwin ]; then
    echo "error: the Neural Engine is in Apple's processors only; this system is $(uname -s). \`seedsieve backends\` lists what it has." >&2
    exit 1
fi
sysctl -n machdep.cpu.brand_string
cargo build --release --ignore-rust-version --package seedsieve --features coreml
target/release/seedsieve backends --bench

python=.venv/bin/python
[ -x "$python" ] || python=python3
"$python" - <<'PYTHON'
"""Each operator's provider, from a profile of ten batches."""
import collections
import json
import pathlib

import numpy
import onnxruntime

for path in ("models/seed_filter_v1.onnx", "models/seed_filter_v1_int8.onnx"):
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name("batch", 256)
    units = {"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndNeuralEngine", "RequireStaticInputShapes": "1"}
    providers = [("CoreMLExecutionProvider", units), "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(path, options, providers=providers)
    windows = numpy.zeros((256, 2, 128, 4), numpy.float32)
    windows[..., 0] = 1
    for _ in range(10):
        session.run(None, {"contexts": windows})
    profile = pathlib.Path(session.end_profiling())
    placed, spent = collections.Counter(), collections.Counter()
    for event in json.loads(profile.read_text()):
        arguments = event.get("args", {})
        if "provider" in arguments and "op_name" in arguments:
            key = (arguments["provider"], arguments["op_name"])
            placed[key] += 1
            spent[key] += event["dur"]
    profile.unlink()
    print(path)
    for (provider, operator), runs in placed.most_common():
        print(f"  {provider:<28} {operator:<24} {runs / 10:5.1f} a batch, {spent[provider, operator] / 10:8.0f} us")
PYTHON
