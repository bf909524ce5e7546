//! Commands for people who have just cloned the repository, and for those who work on it:
//! `cargo xtask demo`, `cargo xtask test`. Standard library only, so that they start in seconds.

mod bench;
mod cargo;
mod data;
mod demo;
mod digest;
mod failure;
mod fuzz;
mod libclang;
mod oracle;
mod process;
mod python;
#[cfg(test)]
mod scratch;
mod stamp;
mod summary;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use cargo::Cargo;
use data::Request;
use failure::{Context, Failure, Outcome};
use python::Python;

const HELP: &str = "\
cargo xtask COMMAND

  demo        real reads -> seeds -> trained filter -> alignments with and without it -> report, below demo-out/
      --data DIR     folder with the input files (laid out as in data-manifests/demo.toml)
      --synthetic    a synthetic genome and reads instead of real ones
      --quick        a small part of the reads, one epoch
      --out DIR      where to write [default: demo-out]
      --threads N    [default: all that the machine has]
  test        every test: formatting, lints, Rust, documentation, Python, and the demo in small
  data        finds the demo's input, or downloads it, and checks it
      --data DIR     folder to look in
      --download     download into .seedsieve-cache, wherever else the files may be
  setup       the Python environment .venv and the program target/release/seedsieve
      --oracle       also bwa-mem4, which the tests compare with
  fuzz NAME   looks for inputs that make a part of the program panic or hang: fastq, index, alignments
      --seconds N    [default: 60]
      --keep         adds what reaches new code to fuzz/corpus, which the tests replay
  bench       lists the benchmarks
  bench NAME  runs one; arguments after the name are handed to it

Input is looked for in this order: --data, SEEDSIEVE_DATA, ../shared/data, download, synthetic.
The exit status is 0 where all went well, else 1.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command that was asked for; false where tests failed.
fn dispatch(arguments: &[String]) -> Outcome<bool> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{HELP}");
        return Ok(true);
    };
    let here = env::current_dir().context(|| "cannot tell the current folder".to_owned())?;
    enter_root()?;
    match command.as_str() {
        "demo" => demo::run(&demo_options(rest, &here)?).map(|_| true),
        "test" => Flags::parse(rest, &[], &[]).map(|_| test::run()),
        "data" => find_data(rest, &here).map(|()| true),
        "setup" => set_up(rest).map(|()| true),
        "bench" => bench::run(rest).map(|()| true),
        "fuzz" => fuzz_request(rest).and_then(|request| fuzz::run(&request)).map(|()| true),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(true)
        }
        other => {
            Err(Failure::new(format!("no command {other:?}: there are demo, test, data, setup, bench, fuzz and help")))
        }
    }
}

/// Everything runs in the root of the checkout, wherever below it the user is.
fn enter_root() -> Outcome<()> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = manifest.parent().unwrap_or(Path::new("."));
    env::set_current_dir(root).context(|| format!("cannot enter {}", root.display()))
}

fn demo_options(arguments: &[String], here: &Path) -> Outcome<demo::Options> {
    let flags = Flags::parse(arguments, &["--quick", "--synthetic"], &["--data", "--out", "--threads"])?;
    let available = thread::available_parallelism().map_or(1, usize::from);
    let threads = flags.value("--threads").map_or(Ok(available), |value| {
        let number = value.parse().ok().filter(|number| (1..=4096).contains(number));
        number.ok_or_else(|| Failure::new(format!("--threads {value}: a number from 1 to 4096 is wanted")))
    })?;
    Ok(demo::Options {
        request: request(&flags, here),
        output: flags.value("--out").map_or_else(|| PathBuf::from("demo-out"), |path| from_root(&here.join(path))),
        quick: flags.has("--quick"),
        threads,
    })
}

fn fuzz_request(arguments: &[String]) -> Outcome<fuzz::Request> {
    let Some((target, rest)) = arguments.split_first() else {
        return Err(Failure::new("which fuzzer? cargo xtask fuzz fastq, index or alignments"));
    };
    let flags = Flags::parse(rest, &["--keep"], &["--seconds"])?;
    let seconds = flags.value("--seconds").unwrap_or("60");
    let seconds =
        seconds.parse().map_err(|_| Failure::new(format!("--seconds {seconds}: a whole number is wanted")))?;
    Ok(fuzz::Request { target: target.clone(), seconds, keep: flags.has("--keep") })
}

/// Relative where it lies below the root, in which everything runs: commands are shown shorter.
fn from_root(path: &Path) -> PathBuf {
    let root = env::current_dir().unwrap_or_default();
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

fn request(flags: &Flags, here: &Path) -> Request {
    Request {
        folder: flags.value("--data").map(|path| here.join(path)),
        variable: env::var_os(data::VARIABLE).filter(|value| !value.is_empty()).map(|value| here.join(value).into()),
        synthetic: flags.has("--synthetic"),
    }
}

fn find_data(arguments: &[String], here: &Path) -> Outcome<()> {
    let flags = Flags::parse(arguments, &["--download"], &["--data"])?;
    let python = Python::set_up()?;
    if flags.has("--download") {
        data::in_folder(&data::download(&python)?)?;
        return Ok(());
    }
    data::prepare(&request(&flags, here), &python).map(|_| ())
}

fn set_up(arguments: &[String]) -> Outcome<()> {
    let flags = Flags::parse(arguments, &["--oracle"], &[])?;
    let cargo = Cargo::find(&Python::set_up()?)?;
    for variable in cargo.environment() {
        println!("  a cargo that is not called by xtask needs: export '{variable}'");
    }
    if flags.has("--oracle") {
        oracle::install(&cargo, oracle::Build::Published)?;
    }
    cargo.build_binary().map(|_| ())
}

/// Options that were given, each known.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flags {
    given: Vec<(String, Option<String>)>,
}

impl Flags {
    /// Sorts arguments into switches and options with a value (`--out DIR` or `--out=DIR`).
    fn parse(arguments: &[String], switches: &[&str], options: &[&str]) -> Outcome<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (name, attached) = argument
                .split_once('=')
                .map_or((argument.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
            let value = if options.contains(&name) {
                let value = attached.or_else(|| arguments.next().cloned());
                Some(value.ok_or_else(|| Failure::new(format!("{name} wants a value")))?)
            } else if switches.contains(&name) && attached.is_none() {
                None
            } else {
                let known = [switches, options].concat();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Failure::new(format!("unknown option {argument:?}; known here: {known}")));
            };
            flags.given.push((name.to_owned(), value));
        }
        Ok(flags)
    }

    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// The value of an option; the last where it was given more than once.
    fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name)?.1.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Flags> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Flags::parse(&arguments, &["--quick"], &["--out", "--data"])
    }

    #[test]
    fn options_take_their_value_attached_or_after_them() {
        let flags = parse("--quick --out one --data=two=2 --out three").unwrap();
        assert!(flags.has("--quick"));
        assert_eq!((flags.value("--out"), flags.value("--data")), (Some("three"), Some("two=2")));
        assert!(!parse("--out --quick").unwrap().has("--quick"));
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (line, named) in
            [("--quik", "--quik"), ("--quick=1", "--quick=1"), ("x", "\"x\""), ("--out", "--out wants")]
        {
            let failure = parse(line).unwrap_err().to_string();
            assert!(failure.contains(named), "{line}: {failure}");
        }
    }

    #[test]
    fn threads_are_checked() {
        let options = |value: &str| demo_options(&["--threads".to_owned(), value.to_owned()], Path::new("/here"));
        assert_eq!(options("3").unwrap().threads, 3);
        for value in ["0", "-1", "many", "5000"] {
            let failure = options(value).err().expect("refused").to_string();
            assert!(failure.contains("from 1 to 4096"), "{failure}");
        }
    }
}
