"""Compiles the native kernel for NVIDIA GPUs to PTX, which drivers compile for their GPU.

    python scripts/compile_cuda_kernel.py [--cubin sm_90]

Needs NVIDIA's run-time compiler, no GPU: `pip install nvidia-cuda-nvrtc-cu12==12.1.105`, whose PTX drivers from version
530 on take. The PTX begins with the SHA-256 of its source; a test holds the two together. With --cubin it compiles to
machine code, too, and prints what the compiler says of registers and spilled memory.
"""

import argparse
import ctypes
import hashlib
import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "crates/inference/src/backends/native/cuda"
OPTIONS = ["--fmad=false", "--std=c++17"]


def compiler() -> ctypes.CDLL:
    """The library in this Python's packages."""
    package = importlib.util.find_spec("nvidia")
    for folder in package.submodule_search_locations if package else []:
        for library in sorted(Path(folder).glob("**/libnvrtc.so.*")):
            # It looks for this one by name, and finds what the process has already.
            for built_ins in library.parent.glob("libnvrtc-builtins.so.*"):
                ctypes.CDLL(str(built_ins), mode=ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(str(library))
    sys.exit("error: no libnvrtc in this Python's packages; pip install nvidia-cuda-nvrtc")


def compile_source(nvrtc: ctypes.CDLL, source: bytes, options: list[str], kind: str) -> tuple[bytes, str]:
    """PTX or machine code, and the compiler's log."""
    program = ctypes.c_void_p()
    check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernel.cu", 0, None, None))
    arguments = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    result = nvrtc.nvrtcCompileProgram(program, len(options), arguments)
    size = ctypes.c_size_t()
    check(nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
    log = ctypes.create_string_buffer(size.value)
    check(nvrtc.nvrtcGetProgramLog(program, log))
    if result != 0:
        sys.exit(log.value.decode())
    check(getattr(nvrtc, f"nvrtcGet{kind}Size")(program, ctypes.byref(size)))
    output = ctypes.create_string_buffer(size.value)
    check(getattr(nvrtc, f"nvrtcGet{kind}")(program, output))
    return output.raw, log.value.decode()


def check(result: int) -> None:
    """End the program if the library reports a failure."""
    if result != 0:
        sys.exit(f"error: the compiler's library answers {result}")


def main() -> None:
    """Write the PTX, and machine code where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cubin", metavar="sm_NN", help="compile for this device, too, and print what it takes")
    arguments = parser.parse_args()
    nvrtc = compiler()
    source = (FOLDER / "kernel.cu").read_bytes()
    ptx, log = compile_source(nvrtc, source, ["--gpu-architecture=compute_80", *OPTIONS], "PTX")
    header = f"// SHA-256 of kernel.cu: {hashlib.sha256(source).hexdigest()}\n"
    (FOLDER / "kernel.ptx").write_text(header + ptx.rstrip(b"\0").decode())
    print(log, f"{FOLDER / 'kernel.ptx'}: {len(ptx)} bytes")
    if arguments.cubin:
        options = [
            f"--gpu-architecture={arguments.cubin}",
            *OPTIONS,
            "--ptxas-options=-v",
            "--ptxas-options=-warn-spills",
        ]
        cubin, log = compile_source(nvrtc, source, options, "CUBIN")
        print(log)
        Path(f"/tmp/kernel.{arguments.cubin}.cubin").write_bytes(cubin)


if __name__ == "__main__":
    main()
