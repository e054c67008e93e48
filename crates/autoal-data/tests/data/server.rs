//! A small HTTP server on the loopback interface, with the faults that real ones have.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How the server answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As asked, ranges included.
    Well,
    /// The whole file, whatever range was asked for.
    IgnoringRanges,
    /// As asked, but the connection ends after so many bytes of the body.
    CutAfter(usize),
    /// As asked, and it declares the bytes to be an encoding of something else.
    DeclaredGzip,
    /// No such file.
    Status404,
}

/// A running server; each request takes the next of its answers, and the last one is repeated.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// What a request asked for.
#[derive(Debug, Clone, Default)]
struct Request {
    path: String,
    from: Option<usize>,
}

impl Server {
    pub(crate) fn start(body: &[u8], answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}/file.bin", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (body, answers, seen) = (body.to_vec(), answers.to_vec(), Arc::clone(&requests));
        // The thread ends with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = seen.lock().expect("no panic holds it").len();
                let answer = answers[count.min(answers.len() - 1)];
                let _ = serve(&stream, &body, answer, &seen);
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        self.address.clone()
    }

    /// For each request the first byte that it asked for, where it asked for a range.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests.lock().expect("no panic holds it").iter().map(|request| request.from).collect()
    }

    /// For each request the path that it asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests.lock().expect("no panic holds it").iter().map(|request| request.path.clone()).collect()
    }
}

fn serve(mut stream: &TcpStream, body: &[u8], answer: Answer, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut request = Request::default();
    for line in BufReader::new(stream).lines() {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            request.from = range.trim_end_matches('-').parse().ok();
        } else if let Some(path) = line.strip_prefix("get ") {
            path.split(' ').next().unwrap_or_default().clone_into(&mut request.path);
        }
    }
    let from = request.from;
    seen.lock().expect("no panic holds it").push(request);
    let total = body.len();
    let (status, start, more) = match (answer, from) {
        (Answer::Status404, _) => {
            return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        (Answer::IgnoringRanges, _) | (_, None) => ("200 OK", 0, String::new()),
        (_, Some(from)) if from >= total => {
            let head = format!(
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return stream.write_all(head.as_bytes());
        }
        (_, Some(from)) => ("206 Partial Content", from, format!("Content-Range: bytes {from}-{}/{total}\r\n", total - 1)),
    };
    let encoding = if answer == Answer::DeclaredGzip { "Content-Encoding: gzip\r\n" } else { "" };
    let length = total - start;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}{encoding}Connection: close\r\n\r\n")?;
    let sent = if let Answer::CutAfter(bytes) = answer { length.min(bytes) } else { length };
    stream.write_all(&body[start..start + sent])
}
