use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

#[cfg(feature = "native")]
use crate::backends::native::{Level, NativeBackend};
#[cfg(feature = "ort")]
use crate::backends::onnx_runtime::{self, OrtBackend, Provider};
#[cfg(feature = "tract")]
use crate::backends::tract::TractBackend;
use crate::fastest::{self, Remembered};
use crate::{Model, NpuBackend, NpuCapabilities, NpuError, NpuResult};

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
const NAMES: [(BackendChoice, &str); 11] = [
    (BackendChoice::Auto, "auto"),
    (BackendChoice::Fastest, "fastest"),
    (BackendChoice::Native, NATIVE),
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

impl Display for BackendChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let (_, name) = NAMES.iter().find(|(choice, _)| choice == self).expect("every choice has a name");
        f.write_str(name)
    }
}

/// One backend of this program and whether it can be used here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackendStatus {
    /// The name that chooses it.
    pub name: &'static str,
    /// Whether it can be used here.
    pub available: bool,
    /// Why, in words: where its library was found, or what is missing and what to do.
    pub why: String,
    /// The instructions that it uses, where it chooses them itself: the native kernel's [`Level`](crate::native::Level).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// What it can do; `None` if this program was built without it.
    pub capabilities: Option<NpuCapabilities>,
}

/// Names the ONNX Runtime library that this process is to load. Nothing else is tried then.
///
/// Has to be called before the library's first use. Without it the library is looked for in this order: the file that the
/// environment variable `ORT_DYLIB_PATH` names; beside the executable; in a Python environment `.venv` of the current
/// folder or a folder above it; in the system's library folders.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] if another library is loaded already, or this program was built without `ort`.
pub fn set_ort_library(path: &Path) -> NpuResult<()> {
    #[cfg(feature = "ort")]
    return onnx_runtime::request_library(path);
    #[cfg(not(feature = "ort"))]
    {
        let _ = path;
        Err(not_built(ORT))
    }
}

/// Loads a model into a backend and runs it once.
///
/// [`BackendChoice::Auto`] takes the first that works, in the order that is stated there, and logs a warning with the reason
/// for each that does not. The native kernel is left out for models in floating point, which it does not run.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] or the model's error of the backend that was asked for; under `Auto` the last
/// backend's error, [`NpuError::NotAvailable`] where this program was built without any.
pub fn detect_npu_backend(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    let (_, backend) = first_that_works(choice, |_| model.clone())?;
    Ok(backend)
}

/// Loads the reference model into a backend, as [`detect_npu_backend`] does, in the form that suits the backend: where
/// `prefer_quantized`, INT8 for the native kernel and for ONNX Runtime, which is twice as fast with it. tract, which is
/// slower with INT8, gets the form in floating point.
///
/// # Errors
/// As [`detect_npu_backend`].
pub fn detect_npu_backend_for_reference_model(
    choice: BackendChoice,
    prefer_quantized: bool,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    first_that_works(choice, |candidate| match candidate {
        // The only form that it runs: whoever asks for this backend by name gets it.
        BackendChoice::Native if prefer_quantized || choice == BackendChoice::Native => Model::embedded_int8(),
        BackendChoice::Ort if prefer_quantized => Model::embedded_int8(),
        _ => Model::embedded(),
    })
}

fn first_that_works(
    choice: BackendChoice,
    model_for: impl Fn(BackendChoice) -> Model,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    if choice == BackendChoice::Fastest {
        return fastest_that_works(fastest::cache_folder().as_deref(), model_for);
    }
    let automatic = choice == BackendChoice::Auto;
    let candidates = if automatic { in_order_of_speed() } else { vec![choice] };
    let mut last_error = NpuError::NotAvailable;
    for candidate in candidates {
        let model = model_for(candidate);
        if automatic && candidate == BackendChoice::Native && !model.graph().quantized {
            tracing::info!(model = model.source(), "inference backend `native` runs INT8 models only");
            continue;
        }
        match load(&model, candidate) {
            Ok(backend) => {
                let why = if automatic { reason() } else { "asked for".to_owned() };
                tracing::info!(backend = backend.name(), model = model.source(), why, "inference backend chosen");
                return Ok((model, backend));
            }
            Err(error) => {
                if automatic {
                    tracing::warn!("inference backend `{candidate}` is not used: {error}");
                }
                last_error = error;
            }
        }
    }
    Err(last_error)
}

/// Measures all that work, or takes the one that was the fastest before.
fn fastest_that_works(
    cache: Option<&Path>,
    model_for: impl Fn(BackendChoice) -> Model,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    let available: Vec<BackendStatus> =
        list_available_backends().into_iter().filter(|status| status.available).collect();
    let candidates: Vec<(BackendChoice, Model)> = available
        .iter()
        .filter_map(|status| status.name.parse().ok())
        .map(|choice| (choice, model_for(choice)))
        .filter(|(choice, model)| *choice != BackendChoice::Native || model.graph().quantized)
        .collect();
    let mut circumstances = vec![env!("CARGO_PKG_VERSION").to_owned(), std::env::consts::ARCH.to_owned()];
    circumstances.extend(available.into_iter().map(|status| status.name.to_owned() + &status.why));
    circumstances.extend(candidates.iter().map(|(_, model)| model.sha256()));
    let remembered = Remembered::new(cache, &circumstances);

    let before = remembered.name();
    if let Some((choice, model)) = candidates.iter().find(|(choice, _)| before == Some(choice.to_string()))
        && let Ok(backend) = load(model, *choice)
    {
        let why = "measured as the fastest here before";
        tracing::info!(backend = backend.name(), model = model.source(), why, "inference backend chosen");
        return Ok((model.clone(), backend));
    }
    let mut fastest: Option<(f64, Model, Arc<dyn NpuBackend>)> = None;
    let mut last_error = NpuError::NotAvailable;
    for (choice, model) in candidates {
        let measured = load(&model, choice).and_then(|backend| Ok((fastest::seeds_a_second(&*backend)?, backend)));
        match measured {
            Ok((speed, backend)) => {
                tracing::info!(backend = backend.name(), seeds_per_s = speed.round(), "inference backend measured");
                if fastest.as_ref().is_none_or(|(before, ..)| speed > *before) {
                    fastest = Some((speed, model, backend));
                }
            }
            Err(error) => {
                tracing::warn!("inference backend `{choice}` is not used: {error}");
                last_error = error;
            }
        }
    }
    let (_, model, backend) = fastest.ok_or(last_error)?;
    remembered.remember(backend.name());
    tracing::info!(
        backend = backend.name(),
        model = model.source(),
        why = "measured as the fastest",
        "inference backend chosen"
    );
    Ok((model, backend))
}

/// The backends of this program: those that `auto` tries, in its order, then those that have to be asked for; whether or not
/// they can be used here.
pub fn list_available_backends() -> Vec<BackendStatus> {
    let by_name = [
        BackendChoice::OpenVino,
        BackendChoice::CoreMl,
        BackendChoice::Cuda,
        BackendChoice::TensorRt,
        BackendChoice::Qnn,
        BackendChoice::Vitis,
    ];
    order(has_fast_native_kernel()).into_iter().chain(by_name).map(status).collect()
}

fn status(choice: BackendChoice) -> BackendStatus {
    match choice {
        BackendChoice::Tract => tract_status(),
        BackendChoice::Native | BackendChoice::Auto | BackendChoice::Fastest => native_status(),
        #[cfg(feature = "ort")]
        _ => provider_status(provider(choice)),
        #[cfg(not(feature = "ort"))]
        _ => {
            let (_, name) = NAMES.iter().find(|(known, _)| *known == choice).expect("every choice has a name");
            BackendStatus { name, available: false, why: built_without(name), level: None, capabilities: None }
        }
    }
}

/// What a backend of ONNX Runtime runs on.
#[cfg(feature = "ort")]
fn provider(choice: BackendChoice) -> Provider {
    match choice {
        BackendChoice::OpenVino => Provider::OpenVino,
        BackendChoice::CoreMl => Provider::CoreMl,
        BackendChoice::Cuda => Provider::Cuda,
        BackendChoice::TensorRt => Provider::TensorRt,
        BackendChoice::Qnn => Provider::Qnn,
        BackendChoice::Vitis => Provider::Vitis,
        _ => Provider::Cpu,
    }
}

const ORT: &str = "ort";
const TRACT: &str = "tract";

const NATIVE: &str = "native";

/// All backends, those that were measured to be faster first: with vector instructions the native kernel is two to three
/// times as fast as ONNX Runtime with the same INT8 model, in plain code it is slower than that, yet faster than tract.
fn order(fast_native_kernel: bool) -> [BackendChoice; 3] {
    match fast_native_kernel {
        true => [BackendChoice::Native, BackendChoice::Ort, BackendChoice::Tract],
        false => [BackendChoice::Ort, BackendChoice::Native, BackendChoice::Tract],
    }
}

fn in_order_of_speed() -> Vec<BackendChoice> {
    let built = [
        (BackendChoice::Native, cfg!(feature = "native")),
        (BackendChoice::Ort, cfg!(feature = "ort")),
        (BackendChoice::Tract, cfg!(feature = "tract")),
    ];
    let built_in = |choice: &BackendChoice| built.contains(&(*choice, true));
    order(has_fast_native_kernel()).into_iter().filter(built_in).collect()
}

fn has_fast_native_kernel() -> bool {
    #[cfg(feature = "native")]
    return Level::best() != Level::Scalar;
    #[cfg(not(feature = "native"))]
    false
}

/// Why the first that works was taken.
fn reason() -> String {
    let order: Vec<String> = in_order_of_speed().iter().map(ToString::to_string).collect();
    let order = order.join(", ");
    #[cfg(feature = "native")]
    return format!("the first that works in order of speed on {}: {order}", Level::best());
    #[cfg(not(feature = "native"))]
    format!("the first that works in order of speed: {order}")
}

fn load(model: &Model, choice: BackendChoice) -> NpuResult<Arc<dyn NpuBackend>> {
    match choice {
        BackendChoice::Auto | BackendChoice::Fastest => detect_npu_backend(model, choice),
        #[cfg(feature = "native")]
        BackendChoice::Native => warmed_up(NativeBackend::new(model)?),
        #[cfg(not(feature = "native"))]
        BackendChoice::Native => Err(not_built(NATIVE)),
        #[cfg(feature = "tract")]
        BackendChoice::Tract => warmed_up(TractBackend::new(model)?),
        #[cfg(not(feature = "tract"))]
        BackendChoice::Tract => Err(not_built(TRACT)),
        #[cfg(feature = "ort")]
        _ => warmed_up(OrtBackend::new(model, provider(choice))?),
        #[cfg(not(feature = "ort"))]
        _ => {
            let (_, name) = NAMES.iter().find(|(known, _)| *known == choice).expect("every choice has a name");
            Err(not_built(name))
        }
    }
}

#[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
fn warmed_up(backend: impl NpuBackend + 'static) -> NpuResult<Arc<dyn NpuBackend>> {
    backend.warmup()?;
    Ok(Arc::new(backend))
}

#[cfg(feature = "native")]
fn native_status() -> BackendStatus {
    let levels: Vec<String> = Level::supported().iter().map(ToString::to_string).collect();
    let why = format!("part of this program; this processor has {}", levels.join(", "));
    let capabilities = Some(NativeBackend::static_capabilities());
    BackendStatus { name: NATIVE, available: true, why, level: levels.into_iter().next(), capabilities }
}

#[cfg(not(feature = "native"))]
fn native_status() -> BackendStatus {
    BackendStatus {
        name: NATIVE,
        available: false,
        why: not_built(NATIVE).to_string(),
        level: None,
        capabilities: None,
    }
}

#[cfg(feature = "ort")]
fn provider_status(provider: Provider) -> BackendStatus {
    let description = provider.description();
    let capabilities = description.built.then(|| OrtBackend::static_capabilities(provider));
    let (available, why) = match OrtBackend::availability(provider) {
        Ok(why) => (true, why),
        // The entry says already what is not available.
        Err(NpuError::BackendNotAvailable { why, .. }) => (false, why),
        Err(error) => (false, error.to_string()),
    };
    BackendStatus { name: description.name, available, why, level: None, capabilities }
}

#[cfg(feature = "tract")]
fn tract_status() -> BackendStatus {
    let capabilities = Some(TractBackend::static_capabilities());
    BackendStatus { name: TRACT, available: true, why: "part of this program".into(), level: None, capabilities }
}

#[cfg(not(feature = "tract"))]
fn tract_status() -> BackendStatus {
    BackendStatus { name: TRACT, available: false, why: not_built(TRACT).to_string(), level: None, capabilities: None }
}

#[cfg(not(all(feature = "native", feature = "ort", feature = "tract")))]
fn not_built(backend: &'static str) -> NpuError {
    NpuError::BackendNotAvailable { backend, why: built_without(backend) }
}

#[cfg(not(all(feature = "native", feature = "ort", feature = "tract")))]
fn built_without(backend: &str) -> String {
    format!("this program was built without it; build it with the feature `{backend}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "native")]
    fn the_fastest_is_measured_once_and_then_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let choose = || fastest_that_works(Some(folder.path()), |_| Model::embedded_int8()).unwrap().1.name();
        let chosen = choose();
        let file = folder.path().join("fastest-backend");
        let line = std::fs::read_to_string(&file).unwrap();
        assert!(line.ends_with(&format!(" {chosen}\n")), "{line}");
        if list_available_backends().iter().any(|status| status.name == TRACT && status.available) {
            // A result that measuring would not give shows that it is not measured again.
            std::fs::write(&file, line.replace(&format!(" {chosen}\n"), " tract\n")).unwrap();
            assert_eq!(choose(), TRACT);
        }
        std::fs::write(&file, line.replace(&format!(" {chosen}\n"), " gone\n")).unwrap();
        assert_eq!(choose(), chosen);
    }

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
