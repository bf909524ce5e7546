//! The fastest backend: measured, or remembered.

use std::path::Path;
use std::sync::Arc;

use super::choice::BackendChoice;
use super::load;
use super::status::{BackendStatus, list_available_backends};
use crate::fastest::{self, Remembered};
use crate::{Model, NpuBackend, NpuError, NpuResult};

/// Measures all that work, or takes the one that was the fastest before.
pub(super) fn fastest_that_works(
    cache: Option<&Path>,
    model_for: impl Fn(BackendChoice) -> Model,
) -> NpuResult<(Model, Arc<dyn NpuBackend>)> {
    let available: Vec<BackendStatus> =
        list_available_backends().into_iter().filter(|status| status.available).collect();
    let candidates: Vec<(BackendChoice, Model)> = available
        .iter()
        .filter_map(|status| status.name.parse().ok())
        .map(|choice| (choice, model_for(choice)))
        .filter(|(choice, model)| !choice.is_native() || model.graph().quantized)
        .collect();
    let mut circumstances = vec![env!("CARGO_PKG_VERSION").to_owned(), std::env::consts::ARCH.to_owned()];
    circumstances.extend(available.into_iter().map(|status| status.name.to_owned() + &status.why));
    circumstances.extend(candidates.iter().map(|(_, model)| model.sha256()));
    let remembered = Remembered::new("fastest-backend", cache, &circumstances);

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

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_is_measured_once_and_then_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let choose = || fastest_that_works(Some(folder.path()), |_| Model::embedded_int8()).unwrap().1.name();
        let chosen = choose();
        let file = folder.path().join("fastest-backend");
        let line = std::fs::read_to_string(&file).unwrap();
        assert!(line.ends_with(&format!(" {chosen}\n")), "{line}");
        if list_available_backends().iter().any(|status| status.name == "tract" && status.available) {
            // A result that measuring would not give shows that it is not measured again.
            std::fs::write(&file, line.replace(&format!(" {chosen}\n"), " tract\n")).unwrap();
            assert_eq!(choose(), "tract");
        }
        std::fs::write(&file, line.replace(&format!(" {chosen}\n"), " gone\n")).unwrap();
        assert_eq!(choose(), chosen);
    }
}
