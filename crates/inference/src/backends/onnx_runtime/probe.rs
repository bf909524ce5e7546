//! A library is loaded by another process first.
//!
//! Loading runs code of the library, which may wait for ever, or end the process. No check of the file can tell, and neither
//! can be undone in the process that it happens to. So another process, which ends itself, does it first, with a limit to its
//! time. What was found good is remembered for that very content.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::fastest::{Remembered, cache_folder};

/// Loading takes a tenth of a second, from a slow network folder some seconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Makes the command that loads a library, see [`set_library_probe`].
type MakeCommand = fn(&Path) -> Option<Command>;

static MAKE_COMMAND: OnceLock<MakeCommand> = OnceLock::new();

/// What a process that has loaded the library says, and nothing else: one that the library has ended may end with success.
const ANSWER: &str = "it loads and answers";

/// What it says where loading came back with an error: then it does so in this process, too, which says why.
const REFUSAL: &str = "it is refused";

/// Says how another process loads a library: the command has to call [`probe_library`] with the path, and to print what it
/// gives. Without it, and where it gives no command, libraries are loaded without a trial.
///
/// The first call counts.
pub fn set_library_probe(make_command: fn(&Path) -> Option<Command>) {
    let _ = MAKE_COMMAND.set(make_command);
}

/// Loads a library as ONNX Runtime, in this process; what the command of [`set_library_probe`] has to print then.
pub fn probe_library(path: &Path) -> &'static str {
    if super::library::load(path.to_owned(), String::new()).is_ok() { ANSWER } else { REFUSAL }
}

/// Has another process load the library, unless that went well before.
///
/// # Errors
/// What happened, in words.
pub(super) fn try_library(path: &Path) -> Result<(), String> {
    let Some(mut command) = MAKE_COMMAND.get().and_then(|make| make(path)) else { return Ok(()) };
    let remembered = remembered(path)?;
    if remembered.name().is_some() {
        return Ok(());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("no process could be started to try it: {error}"))?;
    if wait(child, LIMIT)? {
        remembered.remember("loads");
    }
    Ok(())
}

/// The size and the time of the last change stand for the content: hashing it would take as long as loading it.
fn remembered(path: &Path) -> Result<Remembered, String> {
    let status = path.metadata().map_err(|error| error.to_string())?;
    let changed = status.modified().map(|time| format!("{time:?}")).unwrap_or_default();
    let circumstances =
        [env!("CARGO_PKG_VERSION").to_owned(), path.display().to_string(), status.len().to_string(), changed];
    Ok(Remembered::new("libraries-that-load", cache_folder().as_deref(), &circumstances))
}

/// Whether the library was accepted, once the process has said it.
fn wait(mut child: Child, limit: Duration) -> Result<bool, String> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                // It has ended, and so has what it says; that is short.
                let mut said = Vec::new();
                let stdout = child.stdout.take().expect("a pipe was asked for");
                let _ = stdout.take(2 * ANSWER.len() as u64).read_to_end(&mut said);
                let said = said.trim_ascii();
                if status.success() && (said == ANSWER.as_bytes() || said == REFUSAL.as_bytes()) {
                    return Ok(said == ANSWER.as_bytes());
                }
                return Err(format!("a process that loaded it to try it ended with {status}"));
            }
            Ok(None) if start.elapsed() < limit => {
                std::thread::sleep(pause);
                pause = (2 * pause).min(Duration::from_millis(20));
            }
            ended => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(match ended {
                    Err(error) => format!("the process that tried it could not be watched: {error}"),
                    _ => format!("a process that loaded it to try it did not come back within {} s", limit.as_secs()),
                });
            }
        }
    }
}
