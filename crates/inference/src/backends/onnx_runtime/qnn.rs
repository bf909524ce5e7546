//! Qualcomm's provider, which is a library of its own beside ONNX Runtime's: the wheel onnxruntime-qnn. On processors without a
//! Hexagon it runs its simulator, some thousand times slower: enough to see that a network fits.

use std::path::PathBuf;
use std::sync::OnceLock;

use ort::session::builder::SessionBuilder;

use super::library::LoadedLibrary;

const NAME: &str = "QNNExecutionProvider";

/// Whether the plug-in lies beside the library, and gives a device.
pub fn is_available(library: &LoadedLibrary) -> ort::Result<bool> {
    if !register(library)? {
        return Ok(false);
    }
    Ok(library.environment.devices().any(|device| device.ep().is_ok_and(|name| name == NAME)))
}

/// Makes a session run on the plug-in's devices.
pub fn apply(library: &LoadedLibrary, builder: SessionBuilder, half_precision: bool) -> ort::Result<SessionBuilder> {
    register(library)?;
    let mut devices =
        library.environment.devices().filter(|device| device.ep().is_ok_and(|name| name == NAME)).peekable();
    // With no device at all the session would be the CPU's.
    if devices.peek().is_none() {
        return Err(ort::Error::new("there is no plug-in, or it gives no device"));
    }
    // The bindings give a plug-in the options that begin with its name, and drop others without a word. Without its type the
    // plug-in looks for the backend of the device, which on a CPU it does not know.
    let option = |key: &str, value: &str| (format!("{NAME}.{key}"), value.to_owned());
    let mut options = vec![option("backend_type", "htp"), option("htp_performance_mode", "burst")];
    if half_precision {
        options.push(option("enable_htp_fp16_precision", "1"));
    }
    // One device: on others than a Hexagon the plug-in's own backends would run.
    Ok(builder.with_devices(devices.take(1), Some(&options))?)
}

/// Registers the plug-in once a process; `false` if there is none.
fn register(library: &LoadedLibrary) -> ort::Result<bool> {
    static REGISTERED: OnceLock<Result<bool, String>> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| match plug_in(library) {
        Some(path) => {
            library.environment.register_ep_library(NAME, &path).map(|()| true).map_err(|error| error.to_string())
        }
        None => Ok(false),
    });
    registered.clone().map_err(ort::Error::new)
}

/// The plug-in of the same Python environment, or in the library's own folder.
fn plug_in(library: &LoadedLibrary) -> Option<PathBuf> {
    let name = if cfg!(windows) { "onnxruntime_providers_qnn.dll" } else { "libonnxruntime_providers_qnn.so" };
    let folder = library.path.parent()?;
    let packages = folder.ancestors().nth(2)?;
    let candidates = [packages.join("onnxruntime_qnn").join(name), folder.join(name)];
    candidates.into_iter().find(|path| path.is_file())
}
