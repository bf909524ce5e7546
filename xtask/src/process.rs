//! Running other programs: shown before they start, in the repository's root.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::failure::{Context, Failure, Outcome};

/// What a program wrote, standard output and standard error together, and whether it succeeded.
pub struct Transcript {
    /// Exit status 0.
    pub success: bool,
    /// The lines, each with its line feed; lines of the two streams in the order in which they came.
    pub text: String,
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())));
        }
    }
    words.push(quoted(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|argument| quoted(&argument.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Shows and runs a command; its output goes where ours goes.
///
/// # Errors
/// The program cannot be started, or its exit status is not 0.
pub fn run(command: &mut Command) -> Outcome<()> {
    println!("  $ {}", shown(command));
    let status = command.status().context(|| cannot_start(command))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{status}, from: {}", shown(command)))) }
}

/// Shows and runs a command; standard output is also written to `log`, standard error (progress bars) is left alone.
///
/// # Errors
/// As [`run`], and where `log` cannot be written.
pub fn run_logged(command: &mut Command, log: &Path) -> Outcome<()> {
    println!("  $ {}", shown(command));
    let mut file = File::create(log).context(|| format!("cannot write {}", log.display()))?;
    let mut child = command.stdout(Stdio::piped()).spawn().context(|| cannot_start(command))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    for line in lines(stdout) {
        print!("{line}");
        file.write_all(line.as_bytes()).context(|| format!("cannot write {}", log.display()))?;
    }
    let status = child.wait().context(|| cannot_start(command))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{status}, from: {}", shown(command)))) }
}

/// Shows and runs a command; both streams are shown and kept. A failing program is no error here.
///
/// # Errors
/// The program cannot be started.
pub fn transcript(command: &mut Command) -> Outcome<Transcript> {
    println!("  $ {}", shown(command));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context(|| cannot_start(command))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let (sender, receiver) = std::sync::mpsc::channel::<String>();
    let other = sender.clone();
    let text = thread::scope(|scope| {
        scope.spawn(move || lines(stdout).for_each(|line| drop(sender.send(line))));
        scope.spawn(move || lines(stderr).for_each(|line| drop(other.send(line))));
        let mut text = String::new();
        for line in receiver {
            print!("{line}");
            text.push_str(&line);
        }
        text
    });
    let status = child.wait().context(|| cannot_start(command))?;
    Ok(Transcript { success: status.success(), text })
}

/// What a command writes to standard output, without showing it.
///
/// # Errors
/// The program cannot be started, or fails; the message then ends with what it wrote to standard error.
pub fn output(command: &mut Command) -> Outcome<String> {
    let output = command.output().context(|| cannot_start(command))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::new(format!("{}, from: {}\n{said}", output.status, shown(command))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Removes a file or a folder with all that is in it; one that is not there is no error.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove(path: &Path) -> Outcome<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn cannot_start(command: &Command) -> String {
    format!("cannot run {}", command.get_program().to_string_lossy())
}

/// Lines with their line feed; bytes that are not UTF-8 are replaced.
fn lines(stream: impl Read) -> impl Iterator<Item = String> {
    let mut reader = BufReader::new(stream);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(bytes) if bytes > 0 => Some(String::from_utf8_lossy(&line).into_owned()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("align");
        command.args(["--name", "it's two words", "", "a/b.fa"]);
        assert_eq!(shown(&command), r"align --name 'it'\''s two words' '' a/b.fa");
    }

    #[test]
    fn a_transcript_holds_both_streams_and_the_failure() {
        let transcript =
            transcript(Command::new("sh").args(["-c", "echo to stdout; echo to stderr >&2; exit 3"])).unwrap();
        assert!(!transcript.success);
        assert!(
            transcript.text.contains("to stdout\n") && transcript.text.contains("to stderr\n"),
            "{}",
            transcript.text
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(failure.to_string().starts_with("cannot run no-such-program: "), "{failure}");
    }
}
