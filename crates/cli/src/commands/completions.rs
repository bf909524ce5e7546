//! `seedsieve completions` and `seedsieve man`: what is made of the definition of the command line.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap_complete::Shell;

/// Arguments of `seedsieve completions`.
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `seedsieve man`.
#[derive(clap::Args)]
pub struct ManArgs {
    /// Folder for the pages, one a command; it is made where it is not there.
    #[arg(short = 'o', long, value_name = "FOLDER")]
    output: PathBuf,
}

/// Prints the completions of `command` for a shell.
pub fn completions(args: &CompletionsArgs, mut command: clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "seedsieve", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

/// Writes the manual pages of `command` and of its subcommands (section 1).
pub fn man(args: &ManArgs, command: clap::Command) -> anyhow::Result<()> {
    let folder = args.output.display();
    fs::create_dir_all(&args.output).with_context(|| format!("cannot make the folder {folder}"))?;
    clap_mangen::generate_to(command, &args.output).with_context(|| format!("cannot write manual pages to {folder}"))
}
