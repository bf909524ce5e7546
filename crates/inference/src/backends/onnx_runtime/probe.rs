//! A library is loaded by another process first.
//!
//! Loading runs code of the library, which may wait for ever, or end the process. No check of the file can tell, and neither
//! can be undone in the process that it happens to. So another process, which ends itself, does it first, with a limit to its
//! time. What was found good is remembered for that very content.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::fastest::{Remembered, cache_folder};

/// Loading takes a tenth of a second, from a slow network folder some seconds.
const LIMIT: Duration = Duration::from_secs(20);

/// What a process that has ended has said is in its pipe already; a busy machine may take a while to hand it over.
const LAST_WORDS: Duration = Duration::from_secs(5);

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

/// What tells a library's content from another one.
type Circumstances = [String; 4];

/// What this process has tried and refused: every provider asks for the library anew, and a trial may take its whole time.
static REFUSED: Mutex<Vec<(Circumstances, String)>> = Mutex::new(Vec::new());

/// Has another process load the library, unless that went well before, or went wrong in this process.
///
/// # Errors
/// What happened, in words.
pub(super) fn try_library(path: &Path) -> Result<(), String> {
    let Some(mut command) = MAKE_COMMAND.get().and_then(|make| make(path)) else { return Ok(()) };
    let circumstances = circumstances(path)?;
    let remembered = Remembered::new("libraries-that-load", cache_folder().as_deref(), &circumstances);
    if remembered.name().is_some() {
        return Ok(());
    }
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, why)) = refused.iter().find(|(tried, _)| *tried == circumstances) {
        return Err(why.clone());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("no process could be started to try it: {error}"))?;
    match wait(child, LIMIT) {
        Ok(true) => remembered.remember("loads"),
        Ok(false) => {}
        Err(why) => {
            refused.push((circumstances, why.clone()));
            return Err(why);
        }
    }
    Ok(())
}

/// The size and the time of the last change stand for the content: hashing it would take as long as loading it.
fn circumstances(path: &Path) -> Result<Circumstances, String> {
    let status = path.metadata().map_err(|error| error.to_string())?;
    let changed = status.modified().map(|time| format!("{time:?}")).unwrap_or_default();
    Ok([env!("CARGO_PKG_VERSION").to_owned(), path.display().to_string(), status.len().to_string(), changed])
}

/// Whether the library was accepted, once the process has said it and ended.
fn wait(mut child: Child, limit: Duration) -> Result<bool, String> {
    let start = Instant::now();
    let said = listen(child.stdout.take().expect("a pipe was asked for"));
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return judge(status, &said),
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

/// The first line that comes out of a pipe, read by a thread of its own: a library may have left a process behind that holds
/// the pipe open, so that its end never comes.
fn listen(stdout: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut line = Vec::new();
        let _ = BufReader::new(stdout.take(2 * ANSWER.len() as u64)).read_until(b'\n', &mut line);
        // Nobody listens any more where the time was up.
        let _ = sender.send(line);
    });
    said
}

fn judge(status: ExitStatus, said: &Receiver<Vec<u8>>) -> Result<bool, String> {
    let said = said.recv_timeout(LAST_WORDS).unwrap_or_default();
    match said.trim_ascii() {
        said if status.success() && said == ANSWER.as_bytes() => Ok(true),
        said if status.success() && said == REFUSAL.as_bytes() => Ok(false),
        _ => Err(format!("a process that loaded it to try it ended with {status}")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What a shell script is taken for that stands for the process, and after how long.
    fn judged(script: &str) -> (Result<bool, String>, Duration) {
        let start = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let answer = wait(command.spawn().unwrap(), Duration::from_secs(5));
        (answer, start.elapsed())
    }

    #[test]
    fn an_answer_counts_where_the_process_ends_well() {
        assert_eq!(judged("echo it loads and answers").0, Ok(true));
        assert_eq!(judged("echo it is refused").0, Ok(false));
        for script in
            ["echo it loads and answers; exit 3", "echo it loads", "echo hello; echo it loads and answers", ""]
        {
            assert!(judged(script).0.unwrap_err().contains("ended with"), "{script}");
        }
    }

    #[test]
    fn a_process_that_was_left_behind_is_not_waited_for() {
        for (script, expected) in [
            ("sleep 20 & echo it loads and answers", Ok(true)),
            ("sleep 20 &", Err("ended with exit status: 0")),
            ("sleep 20 & sleep 20", Err("did not come back within 5 s")),
        ] {
            let (answer, time) = judged(script);
            assert!(time < Duration::from_secs(17), "{script}: {time:?}");
            match expected {
                Ok(accepted) => assert_eq!(answer, Ok(accepted), "{script}"),
                Err(why) => assert!(answer.as_ref().unwrap_err().contains(why), "{script}: {answer:?}"),
            }
        }
    }
}
