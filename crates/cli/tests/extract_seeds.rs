//! `seedsieve extract-seeds` on real reads: killed at random, and started again.

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{data, fail, prepared, seedsieve, succeed, text};
use seedsieve_dataset::Dataset;
use serde_json::json;

/// Reference and index of the places that the reads of kgp30x were chosen by.
fn windows_index(data: &Path) -> PathBuf {
    let folder = prepared("kgp30x_windows", |folder| {
        let compressed = data.join("kgp30x/GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz");
        succeed(&mut seedsieve(&["index", "--prefix", text(&folder.join("windows.fa")), text(&compressed)]));
    });
    folder.join("windows.fa")
}

fn extract(reference: &Path, output: &Path, more: &[&str]) -> Command {
    let mut command = seedsieve(&["extract-seeds", "--reference", text(reference), "--output", text(output)]);
    command.args(["-t", "2", "--chunk-reads", "600", "--part-rows", "4000"]).args(more);
    command.stderr(Stdio::null());
    command
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
                let mut bytes = Vec::new();
                File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().into(), bytes);
            }
        }
    }
    found
}

/// Numbers that are spread evenly between 0 and 1 (the golden ratio's multiples): chance without a generator.
fn spread(number: u32) -> f64 {
    (f64::from(number) * 0.618_033_988_749_895).fract()
}

#[test]
fn killed_twenty_times_and_started_again_it_gives_the_same_bytes() {
    let Some(data) = data() else { return };
    let reference = windows_index(&data);
    let folder = tempfile::tempdir().unwrap();
    let bam = data.join("kgp30x/NA12878.chr21_chr22.16.57-16.61M.bam");
    let (whole, output) = (folder.path().join("whole"), folder.path().join("killed"));
    let begin = Instant::now();
    succeed(&mut extract(&reference, &whole, &[text(&bam)]));
    let mut seconds = begin.elapsed().as_secs_f64();
    let expected = content(&whole);
    assert!(expected.len() > 10, "{} files", expected.len());

    let (mut kills, mut with_journal, mut starts) = (0, 0, 0);
    while kills < 20 {
        starts += 1;
        assert!(starts < 200, "only {kills} of {starts} runs could be killed");
        let mut run = extract(&reference, &output, &[text(&bam)]).spawn().unwrap();
        // A part of the whole run's time, so that what is left is done in several goes.
        std::thread::sleep(Duration::from_secs_f64(seconds * 0.6 * spread(starts)));
        run.kill().unwrap();
        let was_killed = !run.wait().unwrap().success();
        kills += u32::from(was_killed);
        // The whole run may have had a busier machine than those that follow.
        seconds *= if was_killed { 1.0 } else { 0.9 };
        with_journal += u32::from(output.join(".unfinished/journal.json").exists());
        let manifest = output.join("dataset.json");
        assert!(
            !manifest.exists() || content(&output)[Path::new("dataset.json")] == expected[Path::new("dataset.json")]
        );
        // Killed or not, the last acts may have been done.
        if manifest.exists() && !output.join(".unfinished").exists() {
            assert!(content(&output) == expected, "after {kills} kills");
            if !was_killed {
                fs::remove_dir_all(&output).unwrap();
            }
        }
    }
    succeed(&mut extract(&reference, &output, &[text(&bam)]));
    assert!(content(&output) == expected);
    assert!(with_journal >= 5, "only {with_journal} of 20 kills came behind a batch");
}

/// Read, mate, start in the read, length, position, round of seeding.
type PlacedSeed = (u64, u8, u16, u16, u32, Option<u8>);

#[test]
fn options_decide_which_seeds_there_are_and_are_stored() {
    let Some(data) = data() else { return };
    let reference = windows_index(&data);
    let folder = tempfile::tempdir().unwrap();
    let bam = data.join("kgp30x/NA12878.chr21_chr22.16.57-16.61M.bam");
    let run = |number: usize, more: &[&str]| {
        let output = folder.path().join(number.to_string());
        let more = [&["--read-pairs", "1000", "--own-extensions", "extended"], more, &[text(&bam)]].concat();
        succeed(&mut extract(&reference, &output, &more));
        let dataset = Dataset::open(&output).unwrap();
        let (mut seeds, mut kept) = (Vec::new(), 0);
        let seen = dataset.for_each_row(|_, _, row| {
            seeds.push((row.read_hash, row.mate, row.query_start, row.length, row.position, row.seeding_round));
            kept += u64::from(row.chain_kept);
            Ok(())
        });
        seen.unwrap();
        (seeds, kept, dataset.manifest().settings.clone())
    };
    let (seeds, kept, defaults) = run(0, &[]);
    let least = |seeds: &[PlacedSeed]| seeds.iter().map(|seed| seed.3).min().unwrap();
    assert_eq!(least(&seeds), 19);
    let options = [
        ("-k", "14", "min_seed_length", json!(14)),
        ("-r", "1.1", "split_factor", json!(1.1)),
        ("-c", "2", "max_occurrences", json!(2)),
        ("-y", "5", "max_interval_third_round", json!(5)),
        ("-D", "0.1", "chain_drop_ratio", json!(0.1)),
    ];
    for (number, (option, value, name, stored)) in options.into_iter().enumerate() {
        let (with_option, kept_with_option, settings) = run(number + 1, &[option, value]);
        let mut expected = defaults.clone();
        assert_ne!(expected.insert(name.into(), stored.clone()), Some(stored), "{option}");
        assert_eq!(settings, expected, "{option}");
        let rounds = |seeds: &[PlacedSeed], round: u8| seeds.iter().filter(|seed| seed.5 == Some(round)).count();
        match option {
            "-k" => assert_eq!(least(&with_option), 14),
            "-r" => assert!(rounds(&with_option, 2) > rounds(&seeds, 2)),
            "-c" => assert!(with_option.len() < seeds.len()),
            "-y" => assert!(rounds(&with_option, 3) != rounds(&seeds, 3)),
            _ => assert!(with_option == seeds && kept_with_option > kept),
        }
    }
}

#[test]
fn unfinished_work_is_not_continued_by_another_command_or_with_another_input() {
    let Some(data) = data() else { return };
    let reference = windows_index(&data);
    let folder = tempfile::tempdir().unwrap();
    let bam = folder.path().join("reads.bam");
    fs::copy(data.join("kgp30x/NA12878.chr21_chr22.16.57-16.61M.bam"), &bam).unwrap();
    let (output, journal) = (folder.path().join("out"), folder.path().join("out/.unfinished/journal.json"));
    let mut run = extract(&reference, &output, &[text(&bam)]).spawn().unwrap();
    while !journal.exists() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended without a journal");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();

    let refusal = |more: &[&str]| {
        let mut arguments = vec![text(&bam)];
        arguments.extend(more);
        let message = fail(extract(&reference, &output, &arguments).stderr(Stdio::piped()));
        assert!(message.contains("--overwrite") && journal.exists(), "{message}");
        message
    };
    let message = refusal(&["-k", "14"]);
    assert!(message.contains("min_seed_length was 19, is 14"), "{message}");
    let message = refusal(&["--sample", "other"]);
    assert!(message.contains("sample was null, is \"other\""), "{message}");
    // An input of the same size, one bit of it altered.
    let mut bytes = fs::read(&bam).unwrap();
    let sound = bytes.clone();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&bam, &bytes).unwrap();
    let message = refusal(&[]);
    assert!(message.contains("reads file 1 was \"reads.bam") && message.contains("SHA-256"), "{message}");

    // Another number of threads is the same work; and another command starts anew where it was told.
    fs::write(&bam, sound).unwrap();
    let kept = folder.path().join("kept");
    succeed(Command::new("cp").arg("-r").args([&output, &kept]));
    let mut same = seedsieve(&["extract-seeds", "--reference", text(&reference), "--output", text(&output), "-t", "1"]);
    let output_of = succeed(same.args(["--chunk-reads", "600", "--part-rows", "4000", text(&bam)]));
    let said = String::from_utf8_lossy(&output_of.stderr).into_owned();
    assert!(said.contains("going on behind"), "{said}");
    let fresh = folder.path().join("fresh");
    succeed(&mut extract(&reference, &fresh, &[text(&bam)]));
    assert!(content(&output) == content(&fresh));
    succeed(&mut extract(&reference, &kept, &[text(&bam), "-k", "21", "--overwrite"]));
    succeed(&mut extract(&reference, &folder.path().join("k21"), &[text(&bam), "-k", "21"]));
    assert!(content(&kept) == content(&folder.path().join("k21")));
}
