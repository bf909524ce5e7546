use crate::files::replace;
use crate::{Counts, DatasetError, Part};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Version of the journal's own form.
const FORMAT: u32 = 1;

/// How far an unfinished data set is: which parts are complete, and from where on the work has to be done again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Journal {
    format: u32,
    /// What the work is: settings and inputs with their checksums.
    pub(crate) plan: Map<String, Value>,
    pub(crate) counts: Counts,
    /// Complete parts, in order.
    pub(crate) parts: Vec<Part>,
    /// What the caller needs to go on behind the last of them.
    pub(crate) state: Value,
}

impl Journal {
    pub(crate) fn new(plan: Map<String, Value>, counts: Counts, parts: Vec<Part>, state: Value) -> Self {
        Self { format: FORMAT, plan, counts, parts, state }
    }

    /// Reads the journal at `path`; `None` where there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, DatasetError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DatasetError::io(path, "read")(error)),
        };
        let damaged = |error: serde_json::Error| Self::refusal(path, &[format!("the journal is damaged ({error})")]);
        let Head { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format != FORMAT {
            return Err(Self::refusal(path, &[format!("the journal has form {format}, this program writes {FORMAT}")]));
        }
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), DatasetError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Self::refusal(path, &[error.to_string()]))?;
        replace(path, &text)
    }

    /// What `plan` has otherwise than the journal's, in words; empty for the same work.
    pub(crate) fn differences(&self, plan: &Map<String, Value>) -> Vec<String> {
        let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
        let added = plan.keys().filter(|key| !self.plan.contains_key(*key));
        let keys = self.plan.keys().chain(added).filter(|key| self.plan.get(*key) != plan.get(*key));
        keys.map(|key| format!("{key} was {}, is {}", shown(self.plan.get(key)), shown(plan.get(key)))).collect()
    }

    pub(crate) fn refusal(path: &Path, problems: &[String]) -> DatasetError {
        DatasetError::OtherWork { path: PathBuf::from(path), differences: problems.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn differences_name_what_changed_came_and_went() {
        let old = plan(json!({"k": 19, "T": 30, "input 1": "a.bam"}));
        let journal = Journal::new(old.clone(), Counts::default(), Vec::new(), Value::Null);
        assert!(journal.differences(&old).is_empty());
        let new = plan(json!({"k": 14, "T": 30, "sample": "s"}));
        let differences = journal.differences(&new);
        assert_eq!(differences, ["input 1 was \"a.bam\", is absent", "k was 19, is 14", "sample was absent, is \"s\""]);
    }

    #[test]
    fn a_damaged_journal_or_one_of_another_form_is_no_journal_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        assert_eq!(Journal::read(&path).unwrap(), None);
        let journal = Journal::new(plan(json!({"k": 19})), Counts::default(), Vec::new(), json!(3));
        journal.write(&path).unwrap();
        assert_eq!(Journal::read(&path).unwrap(), Some(journal));
        let text = std::fs::read_to_string(&path).unwrap();
        for (text, part) in
            [(&text[..text.len() / 2], "damaged"), (&text.replace("\"format\": 1", "\"format\": 2"), "form 2")]
        {
            std::fs::write(&path, text).unwrap();
            let error = Journal::read(&path).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("--overwrite"), "{error}");
        }
    }
}
