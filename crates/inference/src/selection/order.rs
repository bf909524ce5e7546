//! In which order `auto` tries the backends.

use super::choice::BackendChoice;
#[cfg(feature = "native")]
use crate::backends::native::Level;

/// All backends, those that were measured to be faster first: with vector instructions the native kernel is two to three
/// times as fast as ONNX Runtime with the same INT8 model, in plain code it is slower than that, yet faster than tract.
fn order(fast_native_kernel: bool) -> [BackendChoice; 3] {
    match fast_native_kernel {
        true => [BackendChoice::Native, BackendChoice::Ort, BackendChoice::Tract],
        false => [BackendChoice::Ort, BackendChoice::Native, BackendChoice::Tract],
    }
}

/// The order on this processor.
pub(super) fn order_here() -> [BackendChoice; 3] {
    order(has_fast_native_kernel())
}

/// Those of them that this program was built with.
pub(super) fn in_order_of_speed() -> Vec<BackendChoice> {
    let built = [
        (BackendChoice::Native, cfg!(feature = "native")),
        (BackendChoice::Ort, cfg!(feature = "ort")),
        (BackendChoice::Tract, cfg!(feature = "tract")),
    ];
    let built_in = |choice: &BackendChoice| built.contains(&(*choice, true));
    order_here().into_iter().filter(built_in).collect()
}

fn has_fast_native_kernel() -> bool {
    #[cfg(feature = "native")]
    return Level::best() != Level::Scalar;
    #[cfg(not(feature = "native"))]
    false
}

/// Why the first that works was taken.
pub(super) fn reason() -> String {
    let order: Vec<String> = in_order_of_speed().iter().map(ToString::to_string).collect();
    let order = order.join(", ");
    #[cfg(feature = "native")]
    return format!("the first that works in order of speed on {}: {order}", Level::best());
    #[cfg(not(feature = "native"))]
    format!("the first that works in order of speed: {order}")
}
