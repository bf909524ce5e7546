use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;

use crate::{NpuError, NpuResult};

/// Which backend to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// The first that works here, in order of speed: where this processor has AVX2 or better, the native kernel, ONNX
    /// Runtime, tract; elsewhere, where the native kernel has plain code only, ONNX Runtime, native, tract.
    #[default]
    Auto,
    /// The one that is fastest here, of all that work: each is measured for 50 ms, and the result is remembered for the same
    /// program, machine, libraries and model in the user's cache folder.
    Fastest,
    /// The native kernel, or an error.
    Native,
    /// The native kernel on an NVIDIA GPU, or an error.
    NativeCuda,
    /// ONNX Runtime, or an error.
    Ort,
    /// tract, or an error.
    Tract,
    /// ONNX Runtime's OpenVINO provider on the CPU, or an error.
    OpenVino,
    /// ONNX Runtime's Core ML provider on the Apple Neural Engine, or an error.
    CoreMl,
    /// ONNX Runtime's CUDA provider, or an error.
    Cuda,
    /// ONNX Runtime's TensorRT provider, or an error.
    TensorRt,
    /// ONNX Runtime's QNN provider, or an error.
    Qnn,
    /// ONNX Runtime's Vitis AI provider, or an error.
    Vitis,
}

/// The choices and their names.
pub(super) const NAMES: [(BackendChoice, &str); 12] = [
    (BackendChoice::Auto, "auto"),
    (BackendChoice::Fastest, "fastest"),
    (BackendChoice::Native, NATIVE),
    (BackendChoice::NativeCuda, NATIVE_CUDA),
    (BackendChoice::Ort, ORT),
    (BackendChoice::Tract, TRACT),
    (BackendChoice::OpenVino, "openvino"),
    (BackendChoice::CoreMl, "coreml"),
    (BackendChoice::Cuda, "cuda"),
    (BackendChoice::TensorRt, "tensorrt"),
    (BackendChoice::Qnn, "qnn"),
    (BackendChoice::Vitis, "vitis"),
];

impl FromStr for BackendChoice {
    type Err = NpuError;

    fn from_str(name: &str) -> NpuResult<Self> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(choice, _)| *choice).ok_or_else(|| NpuError::UnknownBackend(name.to_owned()))
    }
}

impl BackendChoice {
    /// The name that chooses it.
    pub(super) fn name(self) -> &'static str {
        let (_, name) = NAMES.iter().find(|(choice, _)| *choice == self).expect("every choice has a name");
        name
    }

    /// The native kernel, wherever it runs: it runs INT8 models only.
    pub(super) fn is_native(self) -> bool {
        matches!(self, Self::Native | Self::NativeCuda)
    }
}

impl Display for BackendChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

pub(super) const NATIVE: &str = "native";
pub(super) const NATIVE_CUDA: &str = "native-cuda";
pub(super) const ORT: &str = "ort";
pub(super) const TRACT: &str = "tract";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_they_are_read() {
        let error = "gpu".parse::<BackendChoice>().unwrap_err().to_string();
        assert!(error.contains("`gpu`"), "{error}");
        for (choice, name) in NAMES {
            assert_eq!(name.parse::<BackendChoice>().unwrap(), choice);
            assert_eq!(choice.to_string(), name);
            assert!(error.contains(name), "{error} lacks {name}");
        }
    }
}
