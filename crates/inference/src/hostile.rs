use crate::{Model, NpuResult};

/// Does with any bytes all that is done with a model file before and after a backend of this project's own code takes it: the
/// checks, the native kernels of both network families, some scores. It may fail, and must not panic, hang or take much memory.
///
/// For fuzzing; the libraries' own loaders (ONNX Runtime, tract) are left out.
///
/// # Errors
/// The refusal, where neither network family takes the bytes.
pub fn load_and_score(bytes: &[u8]) -> NpuResult<()> {
    #[cfg(feature = "native")]
    {
        use crate::native::{NativeBackend, StudentNetwork};
        use crate::{NpuBackend, example_windows};

        if let Ok(student) = StudentNetwork::from_bytes(bytes, "fuzzed") {
            let features: Vec<u8> = (0..3 * student.features()).map(|number| number as u8).collect();
            return student.score(&features, &mut [0.0; 3]);
        }
        let model = Model::from_bytes(bytes.to_vec(), "fuzzed")?;
        if let Ok(native) = NativeBackend::new(&model) {
            native.predict_packed(&example_windows(3, 1), &mut [0.0; 3])?;
        }
        Ok(())
    }
    #[cfg(not(feature = "native"))]
    Model::from_bytes(bytes.to_vec(), "fuzzed").map(|_| ())
}
