//! One file from the first of its addresses that gives it whole.
//!
//! What arrives is written to `<name>.part`, which a broken connection or a killed process leaves in place to be resumed; it is renamed
//! only when size and checksums agree and it is on the disk, so a file under its own name is always whole.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::Checksums;
use crate::registry::FileEntry;
use crate::{DataError, Progress};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that is silent for so long is given up; what it sent is kept.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a connection that breaks off is taken up again in a row; each time some bytes must have come.
const RESUMES: usize = 20;

/// Fetches `file` to `placed`, resuming what an earlier call left behind. A second process that fetches the same file waits.
///
/// All addresses are tried in turn; the error lists what was wrong with each. A full disk ends the attempt at once.
pub fn download(file: &FileEntry, placed: &Path, progress: &dyn Progress) -> Result<(), DataError> {
    if placed.exists() {
        return Ok(());
    }
    let mut part = Part::open(placed)?;
    // Another process may have placed it while this one waited for the lock.
    if placed.exists() {
        return Ok(());
    }
    let agent = agent();
    let mut attempts = Vec::new();
    for url in &file.urls {
        match from_address(&agent, url, file, &mut part, progress) {
            Ok(()) => return part.place(placed),
            Err(Failure::Disk(source)) => return Err(part.disk_error(source)),
            Err(Failure::Address(reason)) => attempts.push((url.clone(), reason)),
        }
    }
    part.discard_if_empty();
    Err(DataError::Unreachable { path: placed.to_owned(), attempts })
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .http_status_as_error(false)
        .user_agent(concat!("autoal/", env!("CARGO_PKG_VERSION")))
        // Bytes are wanted as they are stored.
        .accept_encoding("identity");
    config.build().into()
}

enum Failure {
    /// Another address may do better.
    Address(String),
    /// No address will.
    Disk(std::io::Error),
}

/// The file that is being received.
struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Part {
    fn open(placed: &Path) -> Result<Self, DataError> {
        let mut name = placed.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = placed.with_file_name(name);
        let folder = placed.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| DataError::io(folder, source))?;
        let io = |source| DataError::io(&path, source);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        file.lock().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        Ok(Self { path, file, bytes })
    }

    fn clear(&mut self) -> Result<(), Failure> {
        if self.bytes > 0 {
            self.file.set_len(0).map_err(Failure::Disk)?;
            self.bytes = 0;
        }
        self.file.seek(SeekFrom::Start(0)).map(drop).map_err(Failure::Disk)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(Failure::Disk)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn checksums(&mut self, file: &FileEntry) -> Result<Checksums, Failure> {
        let mut checksums = Checksums::of(file);
        self.file.seek(SeekFrom::Start(0)).map_err(Failure::Disk)?;
        checksums.read(&mut self.file).map_err(Failure::Disk)?;
        Ok(checksums)
    }

    fn place(&self, placed: &Path) -> Result<(), DataError> {
        self.file.sync_all().map_err(|source| DataError::io(&self.path, source))?;
        // The file stays open, and with it its lock, until it has its own name.
        std::fs::rename(&self.path, placed).map_err(|source| DataError::io(placed, source))?;
        // The new name is on the disk when its folder is; where a folder cannot be opened (Windows), renaming is enough.
        if let Some(folder) = placed.parent().and_then(|folder| File::open(folder).ok()) {
            folder.sync_all().map_err(|source| DataError::io(placed, source))?;
        }
        Ok(())
    }

    fn disk_error(self, source: std::io::Error) -> DataError {
        if source.kind() == ErrorKind::StorageFull {
            return DataError::DiskFull { path: self.path, bytes: self.bytes };
        }
        DataError::Io { path: self.path, source }
    }

    fn discard_if_empty(self) {
        if self.bytes == 0 {
            // An empty file left behind does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn from_address(agent: &Agent, url: &str, file: &FileEntry, part: &mut Part, progress: &dyn Progress) -> Result<(), Failure> {
    // Without a checksum nobody would notice that the beginning came from elsewhere.
    if file.md5.is_none() && file.sha256_prefix.is_none() {
        part.clear()?;
    }
    let began_with = part.bytes;
    receive(agent, url, file, part, progress)?;
    let Err(reason) = part.checksums(file)?.compare(file) else { return Ok(()) };
    part.clear()?;
    if began_with == 0 {
        return Err(Failure::Address(reason));
    }
    // The part that was there may have been the wrong one.
    receive(agent, url, file, part, progress)?;
    let Err(reason) = part.checksums(file)?.compare(file) else { return Ok(()) };
    part.clear()?;
    Err(Failure::Address(reason))
}

/// Receives until the server's last byte; takes a broken connection up again as long as bytes keep coming.
fn receive(agent: &Agent, url: &str, file: &FileEntry, part: &mut Part, progress: &dyn Progress) -> Result<(), Failure> {
    let mut resumes = 0;
    loop {
        let before = part.bytes;
        let Some(response) = request(agent, url, part)? else { return Ok(()) };
        let rest = response.body().content_length();
        progress.start(&format!("fetching {}", file.name), rest.map(|rest| rest + part.bytes).or(file.bytes));
        progress.advance(part.bytes);
        let received = copy(response, part, progress);
        progress.finish();
        match received {
            Ok(()) => return Ok(()),
            Err(Failure::Address(_)) if part.bytes > before && resumes < RESUMES => resumes += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// Asks for what is missing, and leaves `part` where the answer begins; `None` when nothing is missing.
fn request(agent: &Agent, url: &str, part: &mut Part) -> Result<Option<Response<Body>>, Failure> {
    let response = get(agent, url, part.bytes)?;
    match response.status().as_u16() {
        200 => part.clear()?,
        206 if content_range_start(&response) == Some(part.bytes) => {
            part.file.seek(SeekFrom::End(0)).map_err(Failure::Disk)?;
        }
        416 if content_range_total(&response) == Some(part.bytes) => return Ok(None),
        206 | 416 if part.bytes > 0 => {
            part.clear()?;
            return request(agent, url, part);
        }
        status => return Err(Failure::Address(format!("the server answered with status {status}"))),
    }
    Ok(Some(response))
}

fn get(agent: &Agent, url: &str, from: u64) -> Result<Response<Body>, Failure> {
    let request = agent.get(url);
    let request = if from > 0 { request.header("Range", format!("bytes={from}-")) } else { request };
    request.call().map_err(|error| Failure::Address(error.to_string()))
}

fn copy(response: Response<Body>, part: &mut Part, progress: &dyn Progress) -> Result<(), Failure> {
    let mut reader = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(bytes) => {
                part.append(&buffer[..bytes])?;
                progress.advance(bytes as u64);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Address(format!("the connection broke off after {} bytes: {error}", part.bytes))),
        }
    }
}

/// `5` of `Content-Range: bytes 5-9/10`.
fn content_range_start(response: &Response<Body>) -> Option<u64> {
    content_range(response)?.split(['-', '/']).next()?.parse().ok()
}

/// `10` of `Content-Range: bytes 5-9/10` or `bytes */10`.
fn content_range_total(response: &Response<Body>) -> Option<u64> {
    content_range(response)?.rsplit('/').next()?.parse().ok()
}

fn content_range(response: &Response<Body>) -> Option<&str> {
    response.headers().get("Content-Range")?.to_str().ok()?.strip_prefix("bytes ")
}
