"""`from torch_without_cuda import torch`: PyTorch among the empty CUDA libraries of setup.sh, on one thread."""

import os
import sys

# Python binds all functions of a library at once, and those of CUDA are missing; they are never called.
sys.setdlopenflags(os.RTLD_LAZY)

import torch  # noqa: E402

torch.set_num_threads(1)

__all__ = ["torch"]
