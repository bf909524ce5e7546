//! Files of servers that behave, and of those that do not.

mod common;

use common::Server;
use seedsieve_remote::{Address, Cache, Checksum, RemoteError};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn content(size: u32) -> Vec<u8> {
    (0..size).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap().unwrap()
}

/// A cache that does not wait for long between attempts.
fn cache(folder: &Path) -> Cache {
    Cache::new(folder.into()).with_pause(Duration::from_millis(1))
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_connection_that_is_cut_is_continued_where_it_ended() {
    let bytes = content(1_000_000);
    for (server, is_http) in [(Server::http(), true), (Server::ftp(), false)] {
        server.add("/a/reads.cram", bytes.clone());
        server.with(|behaviour| (behaviour.cuts, behaviour.cut_behind) = (3, 300_000));
        let folder = tempfile::tempdir().unwrap();
        let text = if is_http { server.http_address("/a/reads.cram") } else { server.ftp_address("/a/reads.cram") };
        let path = cache(folder.path()).file(&address(&text), None).unwrap();
        assert_eq!(path.file_name().unwrap(), "reads.cram");
        assert!(std::fs::read(&path).unwrap() == bytes);
        assert_eq!(files(folder.path()), std::slice::from_ref(&path));
        let starts: Vec<u64> = server.with(|behaviour| behaviour.asked.iter().map(|(_, start)| *start).collect());
        assert_eq!(starts, [0, 300_000, 600_000, 900_000]);
        // Once more: nobody is asked.
        assert_eq!(cache(folder.path()).file(&address(&text), None).unwrap(), path);
        assert_eq!(server.with(|behaviour| behaviour.asked.len()), 4);
    }
}

#[test]
fn what_is_kept_of_a_failed_run_is_used_by_the_next_unless_the_file_has_changed() {
    let server = Server::http();
    server.add("/reads.cram", content(500_000));
    let text = server.http_address("/reads.cram");
    let folder = tempfile::tempdir().unwrap();
    server.with(|behaviour| (behaviour.cuts, behaviour.cut_behind) = (4, 100_000));
    let error = cache(folder.path()).file(&address(&text), None).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("behind byte 400000 of 500000") && message.contains("400000 bytes are kept"), "{message}");
    let left = files(folder.path());
    assert!(left.iter().all(|path| path.to_string_lossy().contains(".part")), "{left:?}");

    // The next run finds another file, as long as the first one.
    let other: Vec<u8> = content(500_000).into_iter().rev().collect();
    server.add("/reads.cram", other.clone());
    server.with(|behaviour| behaviour.version = "v2".into());
    let path = cache(folder.path()).file(&address(&text), None).unwrap();
    assert!(std::fs::read(path).unwrap() == other);

    // A server that gives whole files only starts anew.
    let folder = tempfile::tempdir().unwrap();
    server.with(|behaviour| (behaviour.cuts, behaviour.without_ranges) = (1, true));
    let path = cache(folder.path()).file(&address(&text), None).unwrap();
    assert!(std::fs::read(path).unwrap() == other);
}

#[test]
fn a_wrong_checksum_leaves_nothing() {
    let server = Server::http();
    server.add("/reads.cram", b"reads".to_vec());
    let address = address(&server.http_address("/reads.cram"));
    let folder = tempfile::tempdir().unwrap();
    // printf reads | md5sum
    let right = Checksum::Md5("0fb9cf5f04f61bb6f1151da57ceb1ca1".into());
    let wrong = Checksum::Sha256("0".repeat(64));
    let error = cache(folder.path()).file(&address, Some(&wrong)).unwrap_err();
    assert!(matches!(&error, RemoteError::Checksum { algorithm: "SHA-256", .. }), "{error}");
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    let path = cache(folder.path()).file(&address, Some(&right)).unwrap_or_else(|error| panic!("{error}"));
    // What lies in the cache is checked, too, and replaced.
    std::fs::write(&path, "other").unwrap();
    cache(folder.path()).file(&address, Some(&right)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"reads");
}

#[test]
fn what_no_attempt_can_change_is_told_at_once() {
    let (http, ftp) = (Server::http(), Server::ftp());
    let folder = tempfile::tempdir().unwrap();
    for (text, said) in [(http.http_address("/none.cram"), "404"), (ftp.ftp_address("/none.cram"), "550 no such file")]
    {
        let error = cache(folder.path()).file(&address(&text), None).unwrap_err();
        assert!(error.is_refused() && error.to_string().contains(said), "{error}");
    }
    let error = cache(folder.path()).file(&address("http://127.0.0.1:1/a.cram"), None).unwrap_err().to_string();
    assert!(error.contains("4 attempts"), "{error}");
}

#[test]
fn an_excerpt_has_the_bytes_that_were_asked_for_and_fetches_each_once() {
    let bytes = content(2_000_000);
    for (server, is_http) in [(Server::http(), true), (Server::ftp(), false)] {
        server.add("/reads.cram", bytes.clone());
        server.add("/reads.cram.crai", b"index".to_vec());
        let text = if is_http { server.http_address("/reads.cram") } else { server.ftp_address("/reads.cram") };
        let address = address(&text);
        let folder = tempfile::tempdir().unwrap();
        let mut excerpt = cache(folder.path()).excerpt(&address).unwrap();
        server.with(|behaviour| (behaviour.cuts, behaviour.cut_behind) = (1, 50_000));
        excerpt.fetch(&[0..1000, 500_000..700_000, 1_999_000..3_000_000]).unwrap();
        let found = std::fs::read(excerpt.path()).unwrap();
        assert_eq!((found.len(), excerpt.size()), (bytes.len(), 2_000_000));
        assert!(found[500_000..700_000] == bytes[500_000..700_000] && found[1_999_000..] == bytes[1_999_000..]);
        assert!(found[800_000..900_000].iter().all(|&byte| byte == 0), "a hole");
        let index = excerpt.companion(&address.with_added_extension("crai"), "crai").unwrap();
        assert_eq!(std::fs::read(index).unwrap(), b"index");
        drop(excerpt);

        let before = server.with(|behaviour| behaviour.bytes_sent);
        let mut again = cache(folder.path()).excerpt(&address).unwrap();
        again.fetch(&[100..900, 600_000..700_100]).unwrap();
        assert!(std::fs::read(again.path()).unwrap()[700_000..700_100] == bytes[700_000..700_100]);
        if is_http {
            assert_eq!(server.with(|behaviour| behaviour.bytes_sent) - before, 100);
        }
    }
}

#[test]
fn an_excerpt_is_not_made_of_two_files() {
    let server = Server::http();
    server.add("/reads.cram", content(300_000));
    let address = address(&server.http_address("/reads.cram"));
    let folder = tempfile::tempdir().unwrap();
    let mut excerpt = cache(folder.path()).excerpt(&address).unwrap();
    excerpt.fetch(std::slice::from_ref(&(0..1000))).unwrap();
    let index = address.with_added_extension("crai");
    server.add("/reads.cram.crai", b"old".to_vec());
    excerpt.companion(&index, "crai").unwrap();
    server.add("/reads.cram.crai", b"new".to_vec());
    server.with(|behaviour| behaviour.version = "v2".into());
    let error = excerpt.fetch(std::slice::from_ref(&(200_000..200_100))).unwrap_err().to_string();
    assert!(error.contains("has changed"), "{error}");
    drop(excerpt);
    let mut anew = cache(folder.path()).excerpt(&address).unwrap();
    anew.fetch(std::slice::from_ref(&(200_000..200_100))).unwrap();
    assert_eq!(std::fs::read(anew.companion(&index, "crai").unwrap()).unwrap(), b"new");

    server.with(|behaviour| behaviour.without_ranges = true);
    let folder = tempfile::tempdir().unwrap();
    let error = cache(folder.path()).excerpt(&address).unwrap_err();
    assert!(matches!(error, RemoteError::WholeOnly { .. }), "{error}");
}
