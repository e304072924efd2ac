#!/usr/bin/env bash
# Makes the Python environment of the peers in bench/peers/.venv: 0.7 GB to download, 2 GB on disk. Linux on x86-64, Python 3.11 or later.
set -euo pipefail
cd "$(dirname "$0")"

python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-cache-dir -r requirements.txt

# PyPI's PyTorch asks for these libraries of CUDA when it is loaded, and on a CPU calls none of them. Empty ones will do,
# if functions are bound when they are called (torch_without_cuda.py); only NVSHMEM's two symbols are looked up at once.
libraries=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch/lib
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
empty() { # SONAME [SOURCE [VERSION-SCRIPT]]
  cc -shared -Wl,-soname,"$1" ${3:+-Wl,--version-script="$3"} -o "$libraries/$1" -x c "${2:-/dev/null}"
}
for name in libcublas.so.13 libcublasLt.so.13 libcudnn.so.9 libcufft.so.12 libcufile.so.0 \
  libcusparse.so.12 libcusparseLt.so.0 libnccl.so.2 libnvrtc.so.13; do
  empty "$name"
done
echo 'int nvshmem_init, nvshmem_selected_device_transport;' >"$scratch/nvshmem.c"
echo 'NVSHMEM { *; };' >"$scratch/nvshmem.map"
empty libnvshmem_host.so.3 "$scratch/nvshmem.c" "$scratch/nvshmem.map"

.venv/bin/python -W ignore - <<'CHECK'
import jax
from torch_without_cuda import torch

print(f"JAX {jax.__version__} and PyTorch {torch.__version__} are set up in bench/peers/.venv")
CHECK
