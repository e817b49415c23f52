"""faiss's flat index (inner product) on the vectors of benches/matcher.rs, one thread: reads them, and then one batch of probes after the
other (their number first), and writes the microseconds that the search took and the place of the nearest of each."""

import os
import struct
import sys
import time

# Batches go through the linear algebra library, which counts threads of its own.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import faiss  # noqa: E402
import numpy as np  # noqa: E402

faiss.omp_set_num_threads(1)
stream = sys.stdin.buffer
(count,) = struct.unpack("<Q", stream.read(8))
held = np.frombuffer(stream.read(count * 512), dtype="<f4").reshape(count, 128)
index = faiss.IndexFlatIP(128)
index.add(held)
print("faiss", faiss.__version__, flush=True)
while len(number := stream.read(8)) == 8:
    (probes,) = struct.unpack("<Q", number)
    asked = np.frombuffer(stream.read(probes * 512), dtype="<f4").reshape(probes, 128)
    since = time.perf_counter()
    _, places = index.search(asked, 1)
    took = time.perf_counter() - since
    print(took * 1e6, *places[:, 0], flush=True)
