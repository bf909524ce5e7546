"""Where training runs: the CPU, or one GPU through CUDA."""

import os

import torch

from .errors import TrainingError

DEVICES = ("auto", "cpu", "cuda")


def chosen_device(name: str) -> torch.device:
    """The device of one of `DEVICES`; "auto" is CUDA where PyTorch sees a device for it, else the CPU.

    Raises:
        TrainingError: if CUDA is asked for and PyTorch sees no device.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise TrainingError(
            f"--device cuda: PyTorch {torch.__version__} sees no CUDA device; give --device cpu, or install a driver "
            "and a build of PyTorch that fit the GPU"
        )
    return torch.device("cuda" if available and name in ("auto", "cuda") else "cpu")


def device_words(device: torch.device) -> str:
    """The device as logs and metrics state it, with the GPU's name."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def prepare(device: torch.device, threads: int) -> None:
    """Set PyTorch's global state for training: threads, deterministic algorithms, float32 without TF32.

    On the CPU an operation without a deterministic form is an error. On CUDA it is a warning: some have none there.
    """
    torch.set_num_threads(threads)
    on_cuda = device.type == "cuda"
    torch.use_deterministic_algorithms(True, warn_only=on_cuda)
    # Every operation here writes all of its result, so filling it beforehand only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    if not on_cuda:
        return
    # cuBLAS sums in a fixed order only with a workspace of fixed size, and takes the size from nowhere else.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # PyTorch 2.9 renamed the settings and refuses a mixture of old and new names.
    if hasattr(torch.backends, "fp32_precision"):
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    else:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
