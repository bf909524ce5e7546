use crate::RemoteError;
use std::path::PathBuf;
use url::Url;

/// Where a file lies that is not of this machine's file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

impl Address {
    /// What `text` names: an address, or `None` where it is a path. `file:` addresses are paths, see [`Address::local`].
    ///
    /// # Errors
    /// [`RemoteError::Address`] for one that is not understood, or of another scheme than `https`, `http` and `ftp`.
    pub fn parse(text: &str) -> Result<Option<Self>, RemoteError> {
        let Some((scheme, _)) = text.split_once("://") else { return Ok(None) };
        let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
        if !is_scheme || scheme.eq_ignore_ascii_case("file") {
            return Ok(None);
        }
        let refusal = |problem: String| RemoteError::Address { address: text.to_owned(), problem };
        let url = Url::parse(text).map_err(|error| refusal(error.to_string()))?;
        if !["https", "http", "ftp"].contains(&url.scheme()) {
            return Err(refusal(format!("scheme {}; valid are https, http, ftp and file", url.scheme())));
        }
        let is_file = url.path_segments().and_then(Iterator::last).is_some_and(|name| !name.is_empty());
        match url.host_str() {
            Some(_) if is_file => Ok(Some(Self { url })),
            _ => Err(refusal("it names no file of a host".to_owned())),
        }
    }

    /// The path that a `file:` address names; `None` for anything else.
    #[must_use]
    pub fn local(text: &str) -> Option<PathBuf> {
        text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:"))?;
        Url::parse(text).ok()?.to_file_path().ok()
    }

    /// The address of the file whose name has `ending` added to this one's.
    #[must_use]
    pub fn with_added_extension(&self, ending: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(&format!("{}.{ending}", url.path()));
        Self { url }
    }

    /// The address of the file whose name has `ending` in the place of its last extension.
    #[must_use]
    pub fn with_extension(&self, ending: &str) -> Self {
        let mut url = self.url.clone();
        let stem = url.path().rsplit_once('.').map_or(url.path(), |(stem, _)| stem);
        url.set_path(&format!("{stem}.{ending}"));
        Self { url }
    }

    /// Name of the file.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.url.path().rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Where the file lies below a cache's folder.
    pub(crate) fn path_in_cache(&self) -> PathBuf {
        let host = self.url.host_str().unwrap_or_default();
        let host = self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}_{port}"));
        let segments = self.url.path().split('/').filter(|segment| !matches!(*segment, "" | "." | ".."));
        // Another query is another file.
        let query = self.url.query().map(|query| query.replace(['/', '\\'], "_"));
        let mut path: PathBuf = std::iter::once(host.as_str()).chain(segments).collect();
        if let Some(query) = query {
            path.as_mut_os_string().push(format!("?{query}"));
        }
        path
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.url.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn addresses_are_told_from_paths() {
        for path in ["reads.bam", "/data/a.bam", "C:\\reads.bam", "a:b/c://d", "file:///data/a.bam", ""] {
            assert_eq!(Address::parse(path).unwrap(), None, "{path}");
        }
        assert_eq!(Address::local("file:///data/a%20b.bam").as_deref(), Some(Path::new("/data/a b.bam")));
        assert_eq!(Address::local("files.bam"), None);
        for bad in ["s3://bucket/a.bam", "https://", "https://host/", "https://host/folder/"] {
            let error = Address::parse(bad).unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }

    #[test]
    fn files_of_a_cache_lie_below_it_whatever_the_address() {
        let place = |text: &str| Address::parse(text).unwrap().unwrap().path_in_cache();
        assert_eq!(place("ftp://host/vol1/a.cram"), Path::new("host/vol1/a.cram"));
        assert_eq!(place("http://host:81//x/%2e%2e/../../a.cram?b=/c"), Path::new("host_81/a.cram?b=_c"));
        let address = Address::parse("http://host/x/a.cram?b").unwrap().unwrap();
        assert_eq!(address.with_added_extension("crai").to_string(), "http://host/x/a.cram.crai?b");
        assert_eq!(address.with_extension("crai").to_string(), "http://host/x/a.crai?b");
        assert_eq!(address.file_name(), "a.cram");
    }
}
