"""faiss's flat index (inner product) on the vectors of benches/matcher.rs, one thread: reads them and then one probe after the other, and
writes the place of the nearest and the microseconds that the search took."""

import struct
import sys
import time

import faiss
import numpy as np

faiss.omp_set_num_threads(1)
stream = sys.stdin.buffer
(count,) = struct.unpack("<Q", stream.read(8))
held = np.frombuffer(stream.read(count * 512), dtype="<f4").reshape(count, 128)
index = faiss.IndexFlatIP(128)
index.add(held)
while len(probe := stream.read(512)) == 512:
    probe = np.frombuffer(probe, dtype="<f4").reshape(1, 128)
    since = time.perf_counter()
    _, places = index.search(probe, 1)
    took = time.perf_counter() - since
    print(places[0, 0], took * 1e6, flush=True)
