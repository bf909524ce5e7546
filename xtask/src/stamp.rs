//! Steps that are not run again while nothing has changed that they were made from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::digest::Digest;
use crate::failure::{Context, Failure, Outcome};
use crate::process;

/// One command, with all that it reads and writes.
pub struct Step<'a> {
    /// Short, unique within a [`Runner`]; names the stamp and the log.
    pub name: &'a str,
    /// The command; its words are part of what the result depends on.
    pub command: Command,
    /// Files and folders whose contents the result depends on, programs included.
    pub inputs: Vec<PathBuf>,
    /// Files and folders that are there when it has succeeded.
    pub outputs: Vec<PathBuf>,
}

/// Runs steps in their order, numbers them, and remembers which are done.
pub struct Runner {
    folder: PathBuf,
    number: usize,
    last: usize,
    reused: usize,
}

impl Runner {
    /// A runner whose stamps and logs lie below `folder`; steps are numbered from 0 to `last`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: &Path, last: usize) -> Outcome<Self> {
        for part in ["stamps", "logs"] {
            fs::create_dir_all(folder.join(part)).context(|| format!("cannot make {}", folder.join(part).display()))?;
        }
        Ok(Self { folder: folder.to_owned(), number: 0, last, reused: 0 })
    }

    /// Prints the heading of the next step.
    pub fn heading(&mut self, title: &str) {
        println!("\n[{}/{}] {title}", self.number, self.last);
        self.number += 1;
    }

    /// Steps that did not have to be run.
    pub fn reused(&self) -> usize {
        self.reused
    }

    /// Runs a step, or prints again what it printed when it was run with the same command on the same inputs.
    ///
    /// # Errors
    /// The command fails, an input cannot be read, or an output is not there afterwards.
    pub fn run(&mut self, mut step: Step<'_>) -> Outcome<()> {
        let stamp = self.folder.join("stamps").join(step.name);
        let log = self.folder.join("logs").join(step.name);
        let key = key(&step)?;
        if let Some((done, seconds)) = fs::read_to_string(&stamp).ok().as_deref().and_then(split_stamp)
            && done == format!("{key} {}", extent(&step.outputs)?)
        {
            self.reused += 1;
            println!("  reused: made in {seconds} s from the same inputs by the same command");
            print!("{}", fs::read_to_string(&log).unwrap_or_default());
            return Ok(());
        }
        // The log is about to be written over, whatever becomes of the step.
        process::remove(&stamp)?;
        let start = Instant::now();
        process::run_logged(&mut step.command, &log)?;
        let seconds = start.elapsed().as_secs_f64();
        let missing = step.outputs.iter().find(|output| !output.exists());
        if let Some(output) = missing {
            let command = process::shown(&step.command);
            return Err(Failure::new(format!("{} is not there after: {command}", output.display())));
        }
        println!("  done in {seconds:.1} s");
        fs::write(&stamp, format!("{key} {}\n{seconds:.1}\n", extent(&step.outputs)?))
            .context(|| format!("cannot write {}", stamp.display()))
    }
}

/// What a finished step's stamp says of it, and the seconds that it took.
fn split_stamp(stamp: &str) -> Option<(&str, &str)> {
    let mut lines = stamp.lines();
    Some((lines.next()?, lines.next()?))
}

/// The fingerprint of the command and of its inputs.
fn key(step: &Step<'_>) -> Outcome<String> {
    let mut digest = Digest::new();
    digest.add(process::shown(&step.command).as_bytes());
    for input in &step.inputs {
        digest.add(input.as_os_str().as_encoded_bytes());
        digest.add_path(input)?;
    }
    Ok(digest.hexadecimal())
}

/// The fingerprint of the outputs' contents: one that was cut, edited or removed has to be made again.
fn extent(outputs: &[PathBuf]) -> Outcome<String> {
    let mut digest = Digest::new();
    for output in outputs {
        digest.add(output.as_os_str().as_encoded_bytes());
        if output.exists() {
            digest.add_path(output)?;
        } else {
            digest.add(b"missing");
        }
    }
    Ok(digest.hexadecimal())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step that copies `in` to `out`, and appends a line to `runs` each time.
    fn step<'a>(folder: &Path, word: &str) -> Step<'a> {
        let path = |name: &str| folder.join(name);
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("cp {0}/in {0}/out && echo {word} | tee -a {0}/runs", folder.display()));
        Step { name: "copy", command, inputs: vec![path("in")], outputs: vec![path("out")] }
    }

    #[test]
    fn a_step_is_run_again_exactly_when_command_input_or_output_has_changed() {
        let folder = crate::scratch::folder("stamp");
        let write = |name: &str, contents: &str| fs::write(folder.join(name), contents).unwrap();
        let runs = || fs::read_to_string(folder.join("runs")).unwrap().lines().count();
        let mut runner = Runner::new(&folder.join("demo"), 1).unwrap();
        write("in", "one");

        runner.run(step(&folder, "first")).unwrap();
        runner.run(step(&folder, "first")).unwrap();
        assert_eq!((runs(), runner.reused()), (1, 1));
        assert_eq!(fs::read_to_string(folder.join("demo/logs/copy")).unwrap(), "first\n");

        write("in", "two");
        runner.run(step(&folder, "first")).unwrap();
        assert_eq!(runs(), 2, "changed input");
        runner.run(step(&folder, "second")).unwrap();
        assert_eq!(runs(), 3, "changed command");
        write("out", "tw");
        runner.run(step(&folder, "second")).unwrap();
        assert_eq!(runs(), 4, "cut output");
        fs::remove_file(folder.join("out")).unwrap();
        runner.run(step(&folder, "second")).unwrap();
        assert_eq!(runs(), 5, "removed output");
        runner.run(step(&folder, "second")).unwrap();
        assert_eq!((runs(), runner.reused()), (5, 2));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_step_that_failed_is_not_done() {
        let folder = crate::scratch::folder("stamp-failed");
        fs::write(folder.join("in"), "one").unwrap();
        let mut runner = Runner::new(&folder.join("demo"), 1).unwrap();
        runner.run(step(&folder, "first")).unwrap();
        let failing = || Step { command: Command::new("false"), ..step(&folder, "") };
        assert!(runner.run(failing()).is_err());
        assert!(runner.run(failing()).is_err());
        runner.run(step(&folder, "first")).unwrap();
        assert_eq!(runner.reused(), 0, "the log of the first run is gone");
        let silent = Step { command: Command::new("true"), outputs: vec![folder.join("other")], ..step(&folder, "") };
        assert!(runner.run(silent).unwrap_err().to_string().contains("other is not there"));
        fs::remove_dir_all(folder).unwrap();
    }
}
