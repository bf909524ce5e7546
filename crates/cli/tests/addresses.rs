//! Reads and references at addresses, from a server on this machine: whole files, and regions by their index.

mod common;
#[path = "../../remote/tests/common/mod.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fail, prepared, seedsieve, succeed, text};
use server::Server;

/// A synthetic genome with its index, and reads aligned to it, sorted, as CRAM and BAM with indexes: some containers of
/// CRAM, the first of them with reads of one contig.
fn aligned() -> PathBuf {
    prepared("synthetic_sorted", |folder| {
        let simulate =
            ["simulate", "--genome-size", "1500000", "--read-pairs", "40000", "--seed", "7", "--foreign", "0.1"];
        succeed(seedsieve(&simulate).args(["--output", text(folder)]));
        let reference = folder.join("genome.fa");
        succeed(&mut seedsieve(&["index", text(&reference)]));
        for name in ["reads.cram", "reads.bam"] {
            let mut align = seedsieve(&["align", "-t", "2", "--sort", "coordinate", "-o", text(&folder.join(name))]);
            succeed(align.arg(&reference).args(["reads_1.fastq", "reads_2.fastq"].map(|reads| folder.join(reads))));
        }
    })
}

/// One server, one cache, one folder of results.
struct Setting {
    reference: PathBuf,
    folder: tempfile::TempDir,
    cache: PathBuf,
    server: Server,
}

impl Setting {
    fn new(reads: &Path) -> Self {
        let server = Server::http();
        for entry in fs::read_dir(reads).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("reads.") || name == "genome.fa" {
                server.add(&format!("/{name}"), fs::read(&path).unwrap());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        Self { reference: reads.join("genome.fa"), folder, cache, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn extract(&self, output: &str, input: &str, more: &[&str]) -> Command {
        let mut command = seedsieve(&["extract-seeds", "--own-extensions", "extended", "--cache"]);
        command.arg(&self.cache).args(["--reference", text(&self.reference), "--output"]).arg(self.path(output));
        command.args(more).arg(input);
        command
    }

    /// The Parquet files of a data set, one behind the other.
    fn rows(&self, output: &str) -> Vec<u8> {
        let mut parts: Vec<PathBuf> =
            fs::read_dir(self.path(output).join("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
        parts.sort();
        parts.iter().flat_map(|part| fs::read(part).unwrap()).collect()
    }
}

#[test]
fn regions_of_files_with_an_index_are_the_same_read_through_by_index_and_from_a_server() {
    let reads = aligned();
    let mut setting = Setting::new(&reads);
    // Two that some reads lie in both of, one far from them, and one at a contig's end.
    let regions =
        ["synthetic1:100,001-110,000", "synthetic1:110,051-112,000", "synthetic2:250001-250300", "synthetic3:399900"];
    let regions: Vec<&str> = regions.iter().flat_map(|region| ["--region", region]).collect();
    for (file, index) in [("reads.cram", "reads.cram.crai"), ("reads.bam", "reads.bam.bai")] {
        let alone = setting.path(file);
        fs::copy(reads.join(file), &alone).unwrap();
        let message = succeed(&mut setting.extract(&format!("through-{file}"), text(&alone), &regions)).stderr;
        assert!(String::from_utf8_lossy(&message).contains("no index"), "{}", String::from_utf8_lossy(&message));
        let through = setting.rows(&format!("through-{file}"));

        fs::copy(reads.join(index), setting.path(index)).unwrap();
        let message = succeed(&mut setting.extract(&format!("indexed-{file}"), text(&alone), &regions)).stderr;
        assert!(!String::from_utf8_lossy(&message).contains("no index"));
        assert!(setting.rows(&format!("indexed-{file}")) == through, "{file}: by its index");

        let address = setting.server.http_address(&format!("/{file}"));
        succeed(&mut setting.extract(&format!("remote-{file}"), &address, &regions));
        assert!(setting.rows(&format!("remote-{file}")) == through, "{file}: from a server");
        let sent = setting.server.with(|behaviour| std::mem::take(&mut behaviour.bytes_sent));
        let size = fs::metadata(&alone).unwrap().len();
        assert!(sent < size * 3 / 4, "{file}: {sent} of {size} bytes were fetched");
        let manifest = fs::read_to_string(setting.path(&format!("remote-{file}")).join("dataset.json")).unwrap();
        assert!(manifest.contains(&format!("{file} (excerpt)")), "{manifest}");
        // Again, with nothing left to fetch.
        succeed(&mut setting.extract(&format!("again-{file}"), &address, &regions));
        assert!(setting.rows(&format!("again-{file}")) == through);
        assert_eq!(setting.server.with(|behaviour| behaviour.bytes_sent), 0);
    }
    setting.server.with(|behaviour| behaviour.files.remove("/reads.bam.bai"));
    setting.cache = setting.path("another cache");
    let message = fail(&mut setting.extract("none", &setting.server.http_address("/reads.bam"), &regions));
    assert!(message.contains("no index (bai, csi)"), "{message}");
    assert!(!setting.path("none").exists());
}

#[test]
fn whole_files_are_fetched_once_and_checked() {
    let reads = aligned();
    let setting = Setting::new(&reads);
    let pairs = ["--read-pairs", "300"];
    succeed(&mut setting.extract("local", text(&reads.join("reads.cram")), &pairs));
    let address = setting.server.http_address("/reads.cram");
    let list = setting.path("reads.sha256");

    fs::write(&list, format!("{}  reads.cram\n", "0".repeat(64))).unwrap();
    let checked = [pairs[0], pairs[1], "--checksums", text(&list)];
    let message = fail(&mut setting.extract("remote", &address, &checked));
    assert!(message.contains("SHA-256") && message.contains("is expected"), "{message}");
    assert!(!setting.path("remote").exists());

    let digest = succeed(Command::new("sha256sum").arg("reads.cram").current_dir(&reads)).stdout;
    fs::write(&list, digest).unwrap();
    setting.server.with(|behaviour| (behaviour.cuts, behaviour.cut_behind) = (1, 100_000));
    succeed(&mut setting.extract("remote", &address, &checked));
    assert!(setting.rows("remote") == setting.rows("local"));
    let asked = setting.server.with(|behaviour| behaviour.asked.len());
    succeed(&mut setting.extract("again", &address, &checked));
    assert_eq!(setting.server.with(|behaviour| behaviour.asked.len()), asked, "the cache was not used");

    let message = fail(&mut setting.extract("none", &setting.server.http_address("/none.cram"), &pairs));
    assert!(message.contains("404"), "{message}");
    let message = fail(&mut setting.extract("none", &setting.server.http_address("/reads.bam"), &checked));
    assert!(message.contains("--checksums names no reads.bam"), "{message}");
    assert!(!setting.path("none").exists());
}

#[test]
fn a_reference_at_an_address_is_indexed_in_the_cache() {
    let reads = aligned();
    let mut setting = Setting::new(&reads);
    let cram = reads.join("reads.cram");
    let pairs = ["--read-pairs", "100"];
    succeed(&mut setting.extract("local", text(&cram), &pairs));
    let address = setting.server.http_address("/genome.fa");
    setting.reference = PathBuf::from(&address);
    let message = fail(&mut setting.extract("remote", text(&cram), &pairs));
    assert!(message.contains(&format!("seedsieve index {address}")), "{message}");
    succeed(seedsieve(&["index", &address, "--cache"]).arg(&setting.cache));
    succeed(&mut setting.extract("remote", text(&cram), &pairs));
    assert!(setting.rows("remote") == setting.rows("local"));
    assert_eq!(setting.server.with(|behaviour| behaviour.asked.len()), 1);
}
