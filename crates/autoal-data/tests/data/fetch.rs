//! Fetching from servers on the loopback interface that behave well and badly.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use autoal_data::{
    DataConfig, DataError, FileEntry, LoadOptions, Progress, Registry, Silent, download, fetch_dataset, fetch_entry,
    fetch_weights, load,
};
use tempfile::TempDir;

use crate::server::{Answer, Server};
use crate::support::gzip;

/// Longer than the buffers on the way, so that a cut leaves a part behind.
const BYTES: usize = 300_000;
const MD5: &str = "574c4a1f42aa2ef0c4440084e5f44b46";
const SHA256_PREFIX: &str = "fa7deae4b0";

fn body() -> Vec<u8> {
    (0..BYTES).map(|i| (i * i % 251) as u8).collect()
}

fn entry(urls: &[String]) -> FileEntry {
    FileEntry {
        name: "file.bin".to_owned(),
        unpacked: None,
        urls: urls.to_vec(),
        bytes: Some(BYTES as u64),
        md5: Some(MD5.to_owned()),
        sha256_prefix: Some(SHA256_PREFIX.to_owned()),
    }
}

struct Place {
    _folder: TempDir,
    file: PathBuf,
    part: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inside = folder.path().join("set");
    Place { file: inside.join("file.bin"), part: inside.join("file.bin.part"), _folder: folder }
}

impl Place {
    fn with_part(bytes: &[u8]) -> Self {
        let place = place();
        std::fs::create_dir_all(place.part.parent().expect("inside")).expect("writable");
        std::fs::write(&place.part, bytes).expect("writable");
        place
    }

    fn assert_fetched(&self) {
        assert!(std::fs::read(&self.file).expect("placed") == body(), "the file is not what the server has");
        assert!(!self.part.exists(), "the part is left behind");
    }
}

#[test]
fn a_missing_file_is_fetched_verified_and_placed() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), place());
    download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
    place.assert_fetched();
    assert_eq!(server.ranges(), [None]);
    download(&entry(&[server.url()]), &place.file, &Silent).expect("it is there");
    assert_eq!(server.ranges().len(), 1, "a file that is there is not fetched again");
    assert!(!place.part.exists());
}

#[test]
fn a_part_is_resumed_where_it_ends() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), Place::with_part(&body()[..1234]));
    download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
    place.assert_fetched();
    assert_eq!(server.ranges(), [Some(1234)]);
}

#[test]
fn a_part_that_is_whole_is_placed_without_its_bytes_being_sent_again() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), Place::with_part(&body()));
    download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
    place.assert_fetched();
    assert_eq!(server.ranges(), [Some(BYTES)]);
}

#[test]
fn a_server_that_ignores_ranges_sends_the_whole_file() {
    let (server, place) = (Server::start(&body(), &[Answer::IgnoringRanges]), Place::with_part(&body()[..1234]));
    download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
    place.assert_fetched();
}

#[test]
fn a_part_of_another_file_is_noticed_and_fetched_anew() {
    for length in [100, BYTES, BYTES + 5] {
        let (server, place) = (Server::start(&body(), &[Answer::Well]), Place::with_part(&vec![7; length]));
        download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
        place.assert_fetched();
        assert_eq!(server.ranges(), [Some(length), None], "{length} bytes of another file");
    }
}

#[test]
fn a_connection_that_breaks_off_is_taken_up_again() {
    let server = Server::start(&body(), &[Answer::CutAfter(100_000), Answer::CutAfter(100_000), Answer::Well]);
    let place = place();
    download(&entry(&[server.url()]), &place.file, &Silent).expect("it gets there");
    place.assert_fetched();
    assert_eq!(server.ranges(), [None, Some(100_000), Some(200_000)]);
}

#[test]
fn what_came_before_a_failure_is_kept_for_the_next_call() {
    let broken = Server::start(&body(), &[Answer::CutAfter(100_000), Answer::CutAfter(0)]);
    let place = place();
    let error = download(&entry(&[broken.url()]), &place.file, &Silent).expect_err("it never ends").to_string();
    assert!(error.contains("the connection broke off after 100000 bytes"), "{error}");
    assert!(error.contains("what was received is kept"), "{error}");
    assert_eq!(std::fs::read(&place.part).expect("kept"), body()[..100_000]);
    let server = Server::start(&body(), &[Answer::Well]);
    download(&entry(&[server.url()]), &place.file, &Silent).expect("a good server");
    place.assert_fetched();
    assert_eq!(server.ranges(), [Some(100_000)]);
}

#[test]
fn a_wrong_checksum_is_deleted_and_the_next_address_tried() {
    let mut wrong = body();
    wrong[5] ^= 1;
    let servers = [Server::start(&wrong, &[Answer::Well]), Server::start(&body(), &[Answer::Well])];
    let place = place();
    download(&entry(&[servers[0].url(), servers[1].url()]), &place.file, &Silent).expect("the second address is good");
    place.assert_fetched();
    assert_eq!(servers[1].ranges(), [None], "nothing of the wrong file is kept");
}

#[test]
fn each_address_is_listed_with_what_was_wrong() {
    let mut wrong = body();
    wrong[5] ^= 1;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}/file.bin", listener.local_addr().expect("bound"))
    };
    let servers = [
        Server::start(&body(), &[Answer::Status404]),
        Server::start(&wrong, &[Answer::Well]),
        Server::start(&body()[..1000], &[Answer::Well]),
    ];
    let urls: Vec<String> = servers.iter().map(Server::url).chain([closed.clone()]).collect();
    let place = place();
    let error = download(&entry(&urls), &place.file, &Silent).expect_err("none is good").to_string();
    assert!(error.contains(&format!("{}: the server answered with status 404", urls[0])), "{error}");
    assert!(error.contains(&format!("{}: expected MD5 {MD5}, found", urls[1])), "{error}");
    assert!(error.contains(&format!("{}: expected 300000 bytes, found 1000", urls[2])), "{error}");
    assert!(error.contains(&closed), "{error}");
    assert!(!place.file.exists() && !place.part.exists());
}

#[test]
fn a_sha256_prefix_alone_is_compared() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), place());
    let with = |prefix: &str| FileEntry { md5: None, sha256_prefix: Some(prefix.to_owned()), ..entry(&[server.url()]) };
    let error = download(&with("00000000"), &place.file, &Silent).expect_err("another file").to_string();
    assert!(error.contains("expected a SHA-256 that begins with 00000000, found fa7deae4b0"), "{error}");
    download(&with(SHA256_PREFIX), &place.file, &Silent).expect("the file");
    place.assert_fetched();
}

#[test]
fn without_a_checksum_nothing_is_resumed() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), Place::with_part(&[7; 100]));
    let file = FileEntry { md5: None, sha256_prefix: None, ..entry(&[server.url()]) };
    download(&file, &place.file, &Silent).expect("a good server");
    place.assert_fetched();
    assert_eq!(server.ranges(), [None]);
}

#[test]
fn compressed_files_are_stored_as_they_are_sent() {
    let packed = gzip(b"hello");
    let (server, place) = (Server::start(&packed, &[Answer::DeclaredGzip]), place());
    let file = FileEntry { bytes: Some(packed.len() as u64), md5: None, sha256_prefix: None, ..entry(&[server.url()]) };
    download(&file, &place.file, &Silent).expect("a good server");
    assert_eq!(std::fs::read(&place.file).expect("placed"), packed);
}

#[test]
fn fetches_of_one_file_at_the_same_time_give_one_good_file() {
    let (server, place) = (Server::start(&body(), &[Answer::Well]), place());
    let file = entry(&[server.url()]);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..8).map(|_| scope.spawn(|| download(&file, &place.file, &Silent))).collect();
        for thread in running {
            thread.join().expect("no panic").expect("one fetches, the others wait");
        }
    });
    place.assert_fetched();
    assert_eq!(server.ranges(), [None], "it is fetched once");
}

#[test]
fn progress_is_told_in_bytes_of_the_whole_file() {
    #[derive(Default)]
    struct Log(Mutex<Vec<(String, Option<u64>, u64)>>);
    impl Progress for Log {
        fn start(&self, what: &str, total: Option<u64>) {
            self.0.lock().expect("no panic").push((what.to_owned(), total, 0));
        }
        fn advance(&self, bytes: u64) {
            self.0.lock().expect("no panic").last_mut().expect("started").2 += bytes;
        }
        fn finish(&self) {}
    }
    let (server, place, log) = (Server::start(&body(), &[Answer::Well]), Place::with_part(&body()[..1234]), Log::default());
    download(&entry(&[server.url()]), &place.file, &log).expect("a good server");
    let seen = log.0.into_inner().expect("no panic");
    assert_eq!(seen, [("fetching file.bin".to_owned(), Some(BYTES as u64), BYTES as u64)]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_attempt_and_is_named() {
    let place = place();
    std::fs::create_dir_all(place.part.parent().expect("inside")).expect("writable");
    std::os::unix::fs::symlink("/dev/full", &place.part).expect("writable");
    let servers = [Server::start(&body(), &[Answer::Well]), Server::start(&body(), &[Answer::Well])];
    let file = entry(&[servers[0].url(), servers[1].url()]);
    let error = download(&file, &place.file, &Silent).expect_err("no space");
    assert!(matches!(error, DataError::DiskFull { .. }), "{error}");
    assert!(error.to_string().starts_with("the disk is full: `"), "{error}");
    assert!(servers[1].ranges().is_empty(), "another address would not help");
}

#[test]
fn all_files_of_a_set_are_fetched_from_a_mirror_into_its_folder() {
    let (server, folder) = (Server::start(&body(), &[Answer::Well]), tempfile::tempdir().expect("a temporary folder"));
    let mut set = Registry::builtin().require("svhn").expect("registered").clone();
    for file in &mut set.files {
        *file = FileEntry { name: file.name.clone(), ..entry(&["http://127.0.0.1:1/nobody-listens".to_owned()]) };
    }
    let mirror = Some(server.url().trim_end_matches("file.bin").to_owned());
    let options = LoadOptions { data_dir: folder.path().to_owned(), offline: false, mirror };
    let files = fetch_entry(&set, &options, &Silent).expect("a good mirror");
    assert_eq!(server.paths(), ["/svhn/train_32x32.mat", "/svhn/test_32x32.mat"]);
    for (file, name) in files.iter().zip(["train_32x32.mat", "test_32x32.mat"]) {
        assert_eq!(*file, folder.path().join("svhn").join(name));
        assert!(std::fs::read(file).expect("placed") == body());
    }
}

#[test]
fn loading_fetches_what_is_missing_and_refuses_what_is_not_the_published_file() {
    let (server, folder) = (Server::start(&body(), &[Answer::Well]), tempfile::tempdir().expect("a temporary folder"));
    let mirror = Some(server.url().trim_end_matches("/file.bin").to_owned());
    let options = LoadOptions { data_dir: folder.path().to_owned(), offline: false, mirror };
    let error = load(&DataConfig::registered("breastmnist"), &options, &Silent).expect_err("not BreastMNIST").to_string();
    assert_eq!(server.paths(), ["/breastmnist/breastmnist.npz"]);
    assert!(error.contains(&format!("expected MD5 750601b1f35ba3300ea97c75c52ff8f6, found {MD5}")), "{error}");
    assert_eq!(std::fs::read_dir(folder.path().join("breastmnist")).expect("made").count(), 0);
}

#[test]
fn offline_refuses_and_says_where_the_file_is_had_and_goes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LoadOptions { data_dir: folder.path().to_owned(), offline: true, mirror: None };
    let error = fetch_dataset("pathmnist", &options, &Silent).expect_err("offline").to_string();
    let placed = Path::new("pathmnist").join("pathmnist.npz");
    assert!(error.starts_with(&format!("`{}` is missing", folder.path().join(placed).display())), "{error}");
    assert!(error.contains("hint: get https://") && error.contains("place it there"), "{error}");
    let error = fetch_weights("resnet18", &options, &Silent).expect_err("offline").to_string();
    assert!(error.contains("resnet18-f37072fd.pth"), "{error}");
    let error = fetch_weights("resnet19", &options, &Silent).expect_err("unknown").to_string();
    assert!(error.contains("`resnet19`; known are `resnet18`"), "{error}");
    std::fs::create_dir(folder.path().join("weights")).expect("writable");
    std::fs::write(folder.path().join("weights/resnet18-f37072fd.pth"), b"x").expect("writable");
    assert!(fetch_weights("resnet18", &options, &Silent).expect("there").ends_with("weights/resnet18-f37072fd.pth"));
}
