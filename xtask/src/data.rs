//! Where the input of the demo comes from: a folder that the user names, one beside the checkout, a download, or a
//! synthetic set.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, Outcome};
use crate::process;
use crate::python::Python;

/// Environment variable that names a data folder.
pub const VARIABLE: &str = "SEEDSIEVE_DATA";
const BESIDE_CHECKOUT: &str = "../shared/data";
const MANIFEST: &str = "data-manifests/demo.toml";
const CACHE: &str = ".seedsieve-cache";

/// Real reads and their reference. Paths are relative to the data folder until [`in_folder`] has joined them to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealData {
    /// FASTA, plain or gzip.
    pub reference: PathBuf,
    /// BAM files whose seeds become the training set.
    pub training: Vec<PathBuf>,
    /// BAM file whose reads are aligned. Its positions are as far as possible others than those of the training set.
    pub aligned: PathBuf,
    /// What the choice means for the figures, for the user.
    pub note: &'static str,
}

impl RealData {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.training.iter().chain([&self.reference, &self.aligned])
    }
}

/// The input of the demo.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// Files that are there, and the folder that they are in.
    Real(PathBuf, RealData),
    /// To be made by `seedsieve simulate`.
    Synthetic,
}

/// What the user asked for.
#[derive(Default)]
pub struct Request {
    /// `--data DIR`.
    pub folder: Option<PathBuf>,
    /// The value of [`VARIABLE`].
    pub variable: Option<OsString>,
    /// `--synthetic`.
    pub synthetic: bool,
}

/// The file sets that the demo can run on, best first; paths as in the manifest.
fn layouts() -> [RealData; 2] {
    let reads = |name: &str| PathBuf::from(format!("kgp30x/{name}.bam"));
    let training = vec![reads("NA12878.chr21.16.60-16.80M"), reads("NA19401.chr21_chr22.16.57-16.61M")];
    [
        RealData {
            reference: "human_ref/human_mix.fa.gz".into(),
            training: training.clone(),
            aligned: reads("NA12878.chr22.16.60-16.80M"),
            note: "a reference of 24 Mb has far fewer repeats than a whole human genome; the reads that are aligned \
                   share 10 kb with those of the training set",
        },
        RealData {
            reference: "kgp30x/hs38DH.chr21_22.s.fa".into(),
            training,
            aligned: reads("NA12878.chr21_chr22.16.57-16.61M"),
            note: "the reference that can be downloaded has 80 kb: most reads of one training file do not belong to \
                   it and count as contamination, and the reads that are aligned come from the positions of the \
                   other training file. It shows that everything works, and no more",
        },
    ]
}

/// The first set that is complete in `folder`.
///
/// # Errors
/// None is; the message names the first file that each of them lacks.
pub fn in_folder(folder: &Path) -> Outcome<RealData> {
    let mut lacking = Vec::new();
    for layout in layouts() {
        match layout.files().map(|file| folder.join(file)).find(|file| !file.is_file()) {
            Some(missing) => lacking.push(missing.display().to_string()),
            None => {
                return Ok(RealData {
                    reference: folder.join(&layout.reference),
                    training: layout.training.iter().map(|file| folder.join(file)).collect(),
                    aligned: folder.join(&layout.aligned),
                    note: layout.note,
                });
            }
        }
    }
    lacking.dedup();
    Err(Failure::new(format!("{} is not there", lacking.join(", nor "))))
}

/// Looks in the stated order; `download` is called only where nothing before it was found. Returns what was taken, and
/// one line for each place that was looked at before and not taken.
///
/// # Errors
/// A folder that the user named does not hold the files: then nothing else is taken in its stead.
pub fn find(
    request: &Request,
    beside_checkout: &Path,
    download: impl FnOnce() -> Outcome<PathBuf>,
) -> Outcome<(Input, Vec<String>)> {
    if request.synthetic {
        return Ok((Input::Synthetic, vec!["real data: not looked for, --synthetic was given".into()]));
    }
    let mut passed = Vec::new();
    let named = request.variable.as_ref().filter(|value| !value.is_empty()).map(PathBuf::from);
    for (origin, folder) in [("--data", &request.folder), (VARIABLE, &named)] {
        let Some(folder) = folder else {
            passed.push(format!("{origin}: not given"));
            continue;
        };
        let data = in_folder(folder).context(|| {
            format!(
                "{origin} names {}, which cannot be used (its files have to lie as in {MANIFEST})",
                folder.display()
            )
        })?;
        return Ok((Input::Real(folder.clone(), data), passed));
    }
    match in_folder(beside_checkout) {
        Ok(data) => return Ok((Input::Real(beside_checkout.to_owned(), data), passed)),
        Err(reason) => passed.push(format!("{}: {reason}", beside_checkout.display())),
    }
    let downloaded = download().and_then(|folder| Ok((folder.clone(), in_folder(&folder)?)));
    Ok(match downloaded {
        Ok((folder, data)) => (Input::Real(folder, data), passed),
        Err(reason) => {
            passed.push(format!("download: {reason}"));
            (Input::Synthetic, passed)
        }
    })
}

/// Finds the input, says what was taken and why, and checks the files that the manifest knows.
///
/// # Errors
/// As [`find`]; and a file is not the one that the manifest describes.
pub fn prepare(request: &Request, python: &Python) -> Outcome<Input> {
    let (input, passed) = find(request, Path::new(BESIDE_CHECKOUT), || download(python))?;
    for line in passed {
        println!("  not taken: {line}");
    }
    match &input {
        Input::Real(folder, data) => {
            println!("  taken: {}", folder.display());
            println!("  note: {}", data.note);
            process::run(fetch_data(python).arg("--check").arg(folder))?;
        }
        Input::Synthetic => {
            println!("  taken: a synthetic genome and reads, made here. They show that everything works; how well it");
            println!("  works has to be measured on real reads.");
        }
    }
    Ok(input)
}

/// Downloads the files of the manifest that have a public address into the cache, and returns the cache.
///
/// # Errors
/// A file cannot be had or is not what the manifest says.
pub fn download(python: &Python) -> Outcome<PathBuf> {
    process::run(fetch_data(python).args(["--into", CACHE]))
        .map_err(|_| Failure::new("the files cannot be had (the reason is printed above)"))?;
    Ok(CACHE.into())
}

fn fetch_data(python: &Python) -> std::process::Command {
    let mut command = python.command();
    command.args(["scripts/fetch_data.py", "--manifest", MANIFEST]);
    command
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn unreachable_download() -> Outcome<PathBuf> {
        panic!("nothing is downloaded while there is a folder")
    }

    /// A folder with (empty) files of one of the layouts.
    fn folder_with(name: &str, layout: &RealData) -> PathBuf {
        let folder = crate::scratch::folder(name);
        for file in layout.files() {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn reference(input: &Input) -> &Path {
        match input {
            Input::Real(_, data) => &data.reference,
            Input::Synthetic => Path::new("synthetic"),
        }
    }

    #[test]
    fn the_places_are_looked_at_in_the_stated_order() {
        let [best, public] = layouts();
        let named = folder_with("data-named", &best);
        let variable = folder_with("data-variable", &best);
        let beside = folder_with("data-beside", &best);
        let cache = folder_with("data-cache", &public);
        let nowhere = Path::new("no/such/folder");

        let mut request =
            Request { folder: Some(named.clone()), variable: Some(variable.clone().into()), synthetic: false };
        let (input, passed) = find(&request, &beside, unreachable_download).unwrap();
        assert_eq!(reference(&input), named.join("human_ref/human_mix.fa.gz"));
        assert!(passed.is_empty());

        request.folder = None;
        let (input, _) = find(&request, &beside, unreachable_download).unwrap();
        assert_eq!(reference(&input), variable.join("human_ref/human_mix.fa.gz"));

        request.variable = Some("".into());
        let (input, passed) = find(&request, &beside, unreachable_download).unwrap();
        assert_eq!(reference(&input), beside.join("human_ref/human_mix.fa.gz"));
        assert_eq!(passed, ["--data: not given", "SEEDSIEVE_DATA: not given"]);

        let (input, passed) = find(&request, nowhere, || Ok(cache.clone())).unwrap();
        assert_eq!(reference(&input), cache.join("kgp30x/hs38DH.chr21_22.s.fa"));
        assert!(passed[2].starts_with("no/such/folder: no/such/folder/kgp30x/"), "{passed:?}");

        let (input, passed) = find(&request, nowhere, || Err(Failure::new("no network"))).unwrap();
        assert_eq!(input, Input::Synthetic);
        assert_eq!(passed[3], "download: no network");

        request.synthetic = true;
        assert_eq!(find(&request, &beside, unreachable_download).unwrap().0, Input::Synthetic);
        for folder in [named, variable, beside, cache] {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_named_folder_that_lacks_a_file_is_an_error_and_no_other_is_taken() {
        let [best, _] = layouts();
        let beside = folder_with("data-complete", &best);
        let named = folder_with("data-incomplete", &best);
        fs::remove_file(named.join(&best.aligned)).unwrap();
        for request in [
            Request { folder: Some(named.clone()), ..Request::default() },
            Request { variable: Some(named.clone().into()), ..Request::default() },
        ] {
            let failure = find(&request, &beside, unreachable_download).unwrap_err().to_string();
            assert!(failure.contains("NA12878.chr22.16.60-16.80M.bam, nor "), "{failure}");
        }
        for folder in [named, beside] {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn the_manifest_knows_every_file_of_every_set() {
        let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(MANIFEST)).unwrap();
        for layout in layouts() {
            for file in layout.files() {
                assert!(manifest.contains(&format!("path = \"{}\"", file.display())), "{}", file.display());
            }
        }
    }
}
