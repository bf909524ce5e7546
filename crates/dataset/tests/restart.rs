//! A writer that is killed at any point, and the one that goes on.
//!
//! A kill leaves the files as they are: a copy of the folder while the writer lives is what the next one finds.

mod common;

use common::{producer, row};
use seedsieve_dataset::{DatasetError, DatasetWriter, Manifest, Start, WriterOptions};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const BATCHES: u64 = 12;
const BATCH_ROWS: u64 = 130;
const OPTIONS: WriterOptions = WriterOptions { part_rows: 300, overwrite: false, reporting_threshold: 30 };

fn plan(k: i32) -> Map<String, Value> {
    Map::from_iter([("min_seed_length".to_owned(), k.into()), ("input 1".to_owned(), "a.bam".into())])
}

fn start(directory: &Path, k: i32, overwrite: bool) -> Result<Start, DatasetError> {
    DatasetWriter::start(directory, WriterOptions { overwrite, ..OPTIONS }, plan(k))
}

/// Writes what is still to do, and shows `after` the folder whenever a row was written.
fn write(directory: &Path, k: i32, overwrite: bool, mut after: impl FnMut()) -> Result<Manifest, DatasetError> {
    let (mut writer, state) = match start(directory, k, overwrite)? {
        Start::Write(writer, state) => (writer, state),
        Start::Finished(manifest) => return Ok(*manifest),
    };
    let done = state.map_or(0, |state| state["batches"].as_u64().unwrap());
    for batch in done..BATCHES {
        for number in batch * BATCH_ROWS..(batch + 1) * BATCH_ROWS {
            writer.push(&row(number % 1000, &mut [0; 128]))?;
            after();
        }
        writer.count_reads(10);
        writer.end_batch(json!({"batches": batch + 1}))?;
        after();
    }
    writer.finish(producer(), plan(k), Vec::new())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if entry.is_dir() {
            copy(&entry, &to.join(name));
        } else {
            fs::copy(&entry, to.join(name)).unwrap();
        }
    }
}

/// Every file below a folder with its content.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().into(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

struct Whole {
    folder: tempfile::TempDir,
    content: BTreeMap<PathBuf, Vec<u8>>,
}

impl Whole {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("whole"), 19, false, || {}).unwrap();
        let content = content(&folder.path().join("whole"));
        assert!(content.len() > 4 && content.keys().all(|path| !path.starts_with(".unfinished")), "{content:?}");
        Self { folder, content }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder as a kill in the middle leaves it: some parts complete, another one open.
    fn killed(&self, name: &str) -> PathBuf {
        let (live, killed) = (self.path("live"), self.path(name));
        let mut rows = 0;
        write(&live, 19, false, || {
            rows += 1;
            if rows == 800 {
                copy(&live, &killed);
            }
        })
        .unwrap();
        fs::remove_dir_all(&live).unwrap();
        killed
    }
}

#[test]
fn wherever_it_was_killed_the_next_one_gives_the_same_bytes() {
    let whole = Whole::new();
    let live = whole.path("live");
    let mut points = 0;
    let mut continued = 0;
    write(&live, 19, false, || {
        points += 1;
        if points % 41 != 0 {
            return;
        }
        let killed = whole.path(&format!("killed{points}"));
        copy(&live, &killed);
        continued += u32::from(killed.join(".unfinished/journal.json").exists());
        write(&killed, 19, false, || {}).unwrap();
        assert!(content(&killed) == whole.content, "killed at point {points}");
        fs::remove_dir_all(killed).unwrap();
    })
    .unwrap();
    assert!(points > 1500 && continued > 25, "{points} points, {continued} with a journal");
}

#[test]
fn complete_batches_are_not_done_again() {
    let whole = Whole::new();
    let killed = whole.killed("killed");
    let mut rows = 0;
    write(&killed, 19, false, || rows += 1).unwrap();
    assert!(rows < 900, "{rows} rows were written again");
}

#[test]
fn killed_while_the_parts_were_moved_into_place() {
    let whole = Whole::new();
    // The journal of complete work, as it is when the moving begins.
    let all_staged = whole.path("all-staged");
    let live = whole.path("live");
    let Start::Write(mut writer, None) = start(&live, 19, false).unwrap() else { panic!("a new folder") };
    for number in 0..BATCHES * BATCH_ROWS {
        writer.push(&row(number % 1000, &mut [0; 128])).unwrap();
        if (number + 1) % BATCH_ROWS == 0 {
            writer.count_reads(10);
            writer.end_batch(json!({"batches": (number + 1) / BATCH_ROWS})).unwrap();
        }
    }
    copy(&live, &all_staged);
    drop(writer);
    let journal: Value =
        serde_json::from_slice(&fs::read(all_staged.join(".unfinished/journal.json")).unwrap()).unwrap();
    let parts = journal["parts"].as_array().unwrap();
    for moved in 0..=parts.len() {
        let killed = whole.path(&format!("moved{moved}"));
        copy(&all_staged, &killed);
        for part in &parts[..moved] {
            let file = part["file"].as_str().unwrap();
            fs::create_dir_all(killed.join("data")).unwrap();
            fs::rename(killed.join(".unfinished").join(file), killed.join(file)).unwrap();
        }
        write(&killed, 19, false, || {}).unwrap();
        assert!(content(&killed) == whole.content, "{moved} parts had been moved");
    }
    // All in place, only the traces left.
    let killed = whole.path("finished");
    copy(&whole.path("whole"), &killed);
    fs::create_dir(killed.join(".unfinished")).unwrap();
    let mut last = journal.clone();
    last["parts"] =
        serde_json::from_slice::<Value>(&whole.content[Path::new("dataset.json")]).unwrap()["parts"].clone();
    fs::write(killed.join(".unfinished/journal.json"), last.to_string()).unwrap();
    assert!(matches!(start(&killed, 19, false).unwrap(), Start::Finished(_)));
    assert!(content(&killed) == whole.content);
}

#[test]
fn finished_work_is_known_by_its_plan_while_it_is_whole() {
    let whole = Whole::new();
    let finished = whole.path("whole");
    let again = || match start(&finished, 19, false) {
        Ok(Start::Finished(manifest)) => Ok(*manifest),
        Ok(Start::Write(..)) => panic!("finished work is begun again"),
        Err(error) => Err(error.to_string()),
    };
    assert_eq!(again(), Ok(Manifest::read(&finished).unwrap()));
    let refused = start(&finished, 14, false).err().expect("the data set of another plan").to_string();
    assert!(refused.contains("already holds a finished data set"), "{refused}");
    assert!(content(&finished) == whole.content, "nothing is touched");
    assert!(matches!(start(&finished, 19, true), Ok(Start::Write(..))), "overwriting");

    let part =
        finished.join("data").join(fs::read_dir(finished.join("data")).unwrap().next().unwrap().unwrap().file_name());
    fs::remove_file(&part).unwrap();
    let refused = again().unwrap_err();
    assert!(refused.contains(part.to_str().unwrap()), "{refused}");
    // What another version wrote, without a plan, may be anything.
    let manifest = fs::read_to_string(finished.join("dataset.json")).unwrap();
    let without: String =
        manifest.lines().filter(|line| !line.contains("plan_sha256")).map(|line| format!("{line}\n")).collect();
    assert_ne!(without, manifest);
    fs::write(finished.join("dataset.json"), without).unwrap();
    assert!(again().unwrap_err().contains("already holds a finished data set"));
}

#[test]
fn other_work_is_refused_and_stays_until_told() {
    let whole = Whole::new();
    let killed = whole.killed("killed");
    let before = content(&killed);
    let error = write(&killed, 14, false, || {}).unwrap_err().to_string();
    assert!(error.contains("min_seed_length was 19, is 14") && error.contains("--overwrite"), "{error}");
    let error = DatasetWriter::create(&killed, OPTIONS).err().expect("unfinished work").to_string();
    assert!(error.contains("--overwrite"), "{error}");
    assert!(content(&killed) == before, "the refused work was touched");

    write(&killed, 14, true, || {}).unwrap();
    let other = whole.path("other");
    write(&other, 14, false, || {}).unwrap();
    assert!(content(&killed) == content(&other));
}

#[test]
fn overwriting_goes_on_with_work_of_its_own() {
    let whole = Whole::new();
    let killed = whole.killed("killed");
    let mut rows = 0;
    write(&killed, 19, true, || rows += 1).unwrap();
    assert!(rows < 900 && content(&killed) == whole.content, "{rows} rows were written again");
}

#[test]
fn a_complete_part_that_was_altered_is_not_used() {
    let whole = Whole::new();
    for alter in [|bytes: &mut Vec<u8>| bytes[100] ^= 1, |bytes: &mut Vec<u8>| bytes.truncate(50)] {
        let killed = whole.killed("killed");
        let part = killed.join(".unfinished/data/part-00000.parquet");
        let mut bytes = fs::read(&part).unwrap();
        alter(&mut bytes);
        fs::write(&part, bytes).unwrap();
        let error = write(&killed, 19, false, || {}).unwrap_err().to_string();
        assert!(error.contains("part-00000.parquet") && error.contains("not what was written"), "{error}");
        write(&killed, 19, true, || {}).unwrap();
        assert!(content(&killed) == whole.content);
        fs::remove_dir_all(killed).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_keeps_what_is_complete() {
    let whole = Whole::new();
    let killed = whole.killed("killed");
    let Start::Write(mut writer, Some(_)) = start(&killed, 19, false).unwrap() else { panic!("unfinished work") };
    // A file where the folder of parts was: the next part cannot be created.
    let (data, aside) = (killed.join(".unfinished/data"), killed.join(".unfinished/aside"));
    fs::rename(&data, &aside).unwrap();
    fs::write(&data, "").unwrap();
    let failure = (0..9000).find_map(|number| writer.push(&row(number % 1000, &mut [0; 128])).err());
    assert!(failure.expect("no part can be created").to_string().contains("cannot create"));
    drop(writer);
    fs::remove_file(&data).unwrap();
    fs::rename(&aside, &data).unwrap();
    write(&killed, 19, false, || {}).unwrap();
    assert!(content(&killed) == whole.content);
}
