//! Inputs at addresses: fetched into a cache, and checked.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// Options of commands whose inputs may be addresses.
#[derive(clap::Args)]
pub struct Args {
    /// Folder for what is fetched from addresses (https, http, ftp), and used again [default: seedsieve below
    /// XDG_CACHE_HOME, else below ~/.cache].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Checksums (MD5 or SHA-256), as md5sum and sha256sum list them, of all files that are fetched whole.
    #[arg(long, value_name = "FILE")]
    checksums: Option<PathBuf>,
}

#[cfg(feature = "remote")]
pub use fetching::Inputs;
#[cfg(not(feature = "remote"))]
pub use refusing::Inputs;

#[cfg(feature = "remote")]
mod fetching {
    use super::{Args, Path, PathBuf};
    use anyhow::Context;
    use seedsieve_extract::{Excerpt, Input, Regions, fetch_regions};
    use seedsieve_remote::{Address, Cache, Checksums};

    /// Brings inputs to this machine.
    pub struct Inputs {
        cache: Option<Cache>,
        checksums: Option<Checksums>,
    }

    impl Inputs {
        pub fn new(args: &Args) -> anyhow::Result<Self> {
            let checksums = args.checksums.as_deref().map(Checksums::read).transpose()?;
            Ok(Self { cache: cache_folder(args).map(Cache::new), checksums })
        }

        /// The path of a whole file: what was given, or where it lies once it was fetched.
        pub fn file(&self, given: &Path) -> anyhow::Result<PathBuf> {
            let Some(address) = address(given)? else {
                return Ok(local(given).unwrap_or_else(|| given.to_owned()));
            };
            let checksum = match &self.checksums {
                None => None,
                Some(checksums) => Some(checksums.of(address.file_name()).with_context(|| {
                    format!("--checksums names no {}, which is fetched from {address}", address.file_name())
                })?),
            };
            tracing::info!("{address}: fetched, or taken from the cache");
            Ok(self.cache()?.file(&address, checksum)?)
        }

        /// Regions of a BAM or CRAM at an address; `None` where a path was given.
        pub fn regions(
            &self,
            given: &Path,
            reference: &Path,
            regions: &Regions,
        ) -> anyhow::Result<Option<(Input, Excerpt)>> {
            let Some(address) = address(given)? else { return Ok(None) };
            if self.checksums.is_some() {
                tracing::warn!("{address}: only regions are fetched, which no checksum of the whole file can tell of");
            }
            Ok(Some(fetch_regions(self.cache()?, &address, reference, regions)?))
        }

        fn cache(&self) -> anyhow::Result<&Cache> {
            self.cache
                .as_ref()
                .context("no folder for what is fetched: neither XDG_CACHE_HOME nor HOME is set; give --cache")
        }
    }

    fn address(given: &Path) -> anyhow::Result<Option<Address>> {
        Ok(given.to_str().map(Address::parse).transpose()?.flatten())
    }

    fn local(given: &Path) -> Option<PathBuf> {
        Address::local(given.to_str()?)
    }

    fn cache_folder(args: &Args) -> Option<PathBuf> {
        let of_user =
            |variable: &str| std::env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let default = || of_user("XDG_CACHE_HOME").or_else(|| Some(of_user("HOME")?.join(".cache")));
        args.cache.clone().or_else(|| Some(default()?.join("seedsieve")))
    }
}

#[cfg(any(test, not(feature = "remote")))]
mod refusing {
    use super::{Args, Path, PathBuf};
    use anyhow::bail;
    use seedsieve_extract::{Excerpt, Input, Regions};

    /// Leaves inputs where they are: this binary was built without the feature `remote`.
    pub struct Inputs;

    impl Inputs {
        pub fn new(args: &Args) -> anyhow::Result<Self> {
            if args.cache.is_some() || args.checksums.is_some() {
                bail!(
                    "--cache and --checksums are for addresses, but this binary was built without the feature `remote`"
                );
            }
            Ok(Self)
        }

        pub fn file(&self, given: &Path) -> anyhow::Result<PathBuf> {
            if given.to_string_lossy().contains("://") {
                bail!(
                    "{}: an address, but this binary was built without the feature `remote`; fetch the file, and give \
                     its path",
                    given.display()
                );
            }
            Ok(given.to_owned())
        }

        pub fn regions(&self, _: &Path, _: &Path, _: &Regions) -> anyhow::Result<Option<(Input, Excerpt)>> {
            Ok(None)
        }
    }
}

/// The reference at `path`, which came from `given`, if it is indexed.
pub fn indexed(given: &Path, path: PathBuf) -> anyhow::Result<PathBuf> {
    if path != given && !path.with_added_extension("ann").is_file() {
        bail!(
            "{}: it lies at {}, and is not indexed; `seedsieve index {}` does that",
            given.display(),
            path.display(),
            given.display()
        );
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::{Args, Path, refusing::Inputs};
    use seedsieve_extract::Regions;

    #[test]
    fn without_the_feature_addresses_and_their_options_are_refused() {
        let inputs = Inputs::new(&Args { cache: None, checksums: None }).unwrap();
        let refused = |problem: anyhow::Error| problem.to_string().contains("without the feature `remote`");
        let (address, path) = (Path::new("https://host.invalid/a.bam"), Path::new("a.bam"));
        assert!(refused(inputs.file(address).unwrap_err()));
        assert_eq!(inputs.file(path).unwrap(), path);
        assert!(inputs.regions(path, path, &Regions::default()).unwrap().is_none());
        for args in [
            Args { cache: Some("cache".into()), checksums: None },
            Args { cache: None, checksums: Some("files.md5".into()) },
        ] {
            assert!(Inputs::new(&args).is_err_and(refused));
        }
    }
}
