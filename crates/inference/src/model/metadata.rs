use std::fmt::Display;
use std::str::FromStr;

use seedsieve_encoding::{DOWNSTREAM, UPSTREAM, WINDOW_SIZE};
use serde::Serialize;

use crate::{NpuError, NpuResult};

/// Version of the metadata that this program reads and the training package writes.
const FORMAT: &str = "1";

/// What a model says about itself, from the metadata of its file (`docs/architecture/data-flow.md`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelMetadata {
    /// Name of the model.
    pub name: String,
    /// Positions of a context window.
    pub window_size: usize,
    /// Positions before the seed.
    pub upstream: usize,
    /// Positions after the seed.
    pub downstream: usize,
    /// Name of the label policy: what the network calls viable.
    pub label_policy: String,
    /// Alignment score that the label policy asks for.
    pub label_threshold: i32,
    /// Decision threshold in [0, 1]: seeds that score below it are hopeless.
    pub threshold: f32,
    /// SHA-256 of the `dataset.json` that the network was trained on.
    pub dataset_sha256: String,
    /// Trained numbers of the network.
    pub parameters: usize,
    /// The data that the network was trained on, in words.
    pub trained_on: String,
    /// Part of the viable seeds that the threshold was chosen to lose at most, and how confident that choice is; absent in
    /// files of older versions.
    pub miss_rate: Option<f32>,
    /// See `miss_rate`.
    pub confidence: Option<f32>,
}

impl ModelMetadata {
    /// Reads the metadata of a file: pairs of key and value.
    pub(super) fn from_properties(properties: &[(String, String)]) -> NpuResult<Self> {
        let properties = Properties(properties);
        properties.check_format()?;
        let (window_size, upstream, downstream) = properties.window()?;
        let threshold = properties.threshold()?;
        Ok(Self {
            name: properties.text("name")?.to_owned(),
            window_size,
            upstream,
            downstream,
            label_policy: properties.text("label_policy")?.to_owned(),
            label_threshold: properties.number("label_threshold", "an alignment score")?,
            threshold,
            dataset_sha256: properties.text("dataset_sha256")?.to_owned(),
            parameters: properties.number("parameters", "a whole number")?,
            trained_on: properties.text("trained_on")?.to_owned(),
            miss_rate: properties.optional("miss_rate")?,
            confidence: properties.optional("confidence")?,
        })
    }
}

/// The metadata of a file: pairs of key and value.
pub(crate) struct Properties<'a>(pub &'a [(String, String)]);

impl Properties<'_> {
    pub fn check_format(&self) -> NpuResult<()> {
        let format = self.text("format")?;
        if format == FORMAT {
            return Ok(());
        }
        Err(NpuError::UnsupportedFormat(format!(
            "`seedsieve.format` is `{format}`, this program reads format {FORMAT}; use the program's version that wrote the \
             model, or export it again"
        )))
    }

    /// The decision threshold.
    pub fn threshold(&self) -> NpuResult<f32> {
        let threshold: f32 = self.number("threshold", "a number from 0 to 1")?;
        match (0.0..=1.0).contains(&threshold) {
            true => Ok(threshold),
            false => Err(invalid("threshold", &threshold.to_string(), "a number from 0 to 1")),
        }
    }

    pub fn text(&self, key: &str) -> NpuResult<&str> {
        let mut values = self.0.iter().filter(|(name, _)| name.strip_prefix("seedsieve.") == Some(key));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(NpuError::UnsupportedFormat(format!(
                "the file's metadata lacks `seedsieve.{key}`; export it with this project's training package"
            ))),
            (Some(_), Some(_)) => Err(NpuError::UnsupportedFormat(format!(
                "the file's metadata has `seedsieve.{key}` more than once; export it again"
            ))),
        }
    }

    pub fn number<T: FromStr + Display>(&self, key: &str, expected: &str) -> NpuResult<T> {
        let text = self.text(key)?;
        text.parse().map_err(|_| invalid(key, text, expected))
    }

    /// A part from 0 to 1, where the file has it.
    fn optional(&self, key: &str) -> NpuResult<Option<f32>> {
        if self.0.iter().all(|(name, _)| name.strip_prefix("seedsieve.") != Some(key)) {
            return Ok(None);
        }
        let part: f32 = self.number(key, "a number from 0 to 1")?;
        match (0.0..=1.0).contains(&part) {
            true => Ok(Some(part)),
            false => Err(invalid(key, &part.to_string(), "a number from 0 to 1")),
        }
    }

    /// Size, upstream and downstream, written `128/32/32`. The encoding is fixed, so every other window is refused.
    fn window(&self) -> NpuResult<(usize, usize, usize)> {
        let text = self.text("window")?;
        let sizes: Vec<Option<usize>> = text.split('/').map(|size| size.parse().ok()).collect();
        match sizes[..] {
            [Some(WINDOW_SIZE), Some(UPSTREAM), Some(DOWNSTREAM)] => Ok((WINDOW_SIZE, UPSTREAM, DOWNSTREAM)),
            _ => Err(NpuError::UnsupportedFormat(format!(
                "the network was trained on windows of `{text}` (size/upstream/downstream), this program makes windows \
                 of {WINDOW_SIZE}/{UPSTREAM}/{DOWNSTREAM}; train it on data of this program"
            ))),
        }
    }
}

fn invalid(key: &str, value: &str, expected: &str) -> NpuError {
    NpuError::UnsupportedFormat(format!(
        "the file's metadata `seedsieve.{key}` is `{value}`, expected is {expected}; export it again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties() -> Vec<(String, String)> {
        [
            ("format", "1"),
            ("name", "test"),
            ("window", "128/32/32"),
            ("label_policy", "own-extension"),
            ("label_threshold", "30"),
            ("threshold", "0.25"),
            ("dataset_sha256", "00"),
            ("parameters", "26913"),
            ("trained_on", "nothing"),
        ]
        .map(|(key, value)| (format!("seedsieve.{key}"), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn complete_metadata_is_read() {
        let metadata = ModelMetadata::from_properties(&properties()).unwrap();
        assert_eq!((metadata.threshold, metadata.label_threshold, metadata.parameters), (0.25, 30, 26_913));
    }

    #[test]
    fn each_key_is_required_once() {
        for missing in 0..properties().len() {
            let mut properties = properties();
            let (key, value) = properties.remove(missing);
            let message = ModelMetadata::from_properties(&properties).unwrap_err().to_string();
            assert!(message.contains(&format!("lacks `{key}`")), "{message}");
            properties.extend([(key.clone(), value.clone()), (key.clone(), value)]);
            let message = ModelMetadata::from_properties(&properties).unwrap_err().to_string();
            assert!(message.contains(&format!("`{key}` more than once")), "{message}");
        }
    }

    #[test]
    fn the_loss_of_the_threshold_may_be_absent() {
        let mut properties = properties();
        assert_eq!(ModelMetadata::from_properties(&properties).unwrap().miss_rate, None);
        for (key, value) in [("miss_rate", "0.001"), ("confidence", "0.95")] {
            properties.push((format!("seedsieve.{key}"), value.to_owned()));
        }
        let metadata = ModelMetadata::from_properties(&properties).unwrap();
        assert_eq!((metadata.miss_rate, metadata.confidence), (Some(0.001), Some(0.95)));
        properties.last_mut().unwrap().1 = "2".to_owned();
        assert!(ModelMetadata::from_properties(&properties).unwrap_err().to_string().contains("confidence"));
    }

    #[test]
    fn bad_values_are_named() {
        for (key, value) in [
            ("format", "2"),
            ("window", "256/64/64"),
            ("window", "128/32"),
            ("threshold", "NaN"),
            ("threshold", "1.5"),
            ("label_threshold", "high"),
            ("parameters", "-1"),
        ] {
            let mut properties = properties();
            let entry = properties.iter_mut().find(|(name, _)| name.ends_with(&format!(".{key}"))).unwrap();
            entry.1 = value.to_owned();
            let message = ModelMetadata::from_properties(&properties).unwrap_err().to_string();
            assert!(message.contains(value), "{key}={value}: {message}");
        }
    }
}
