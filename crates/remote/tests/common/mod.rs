//! Servers of files on this machine, which can be told to misbehave.

#![allow(dead_code, missing_docs)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server has and does; may be altered while it runs.
#[derive(Default)]
pub struct Behaviour {
    pub files: HashMap<String, Vec<u8>>,
    pub version: String,
    /// Gives whole files only.
    pub without_ranges: bool,
    /// Ends so many answers early, behind so many bytes.
    pub cuts: usize,
    pub cut_behind: usize,
    /// Of the files that were asked for, in order: path and first byte.
    pub asked: Vec<(String, u64)>,
    pub bytes_sent: u64,
}

#[derive(Clone)]
pub struct Server {
    pub behaviour: Arc<Mutex<Behaviour>>,
    pub port: u16,
}

impl Server {
    pub fn http() -> Self {
        Self::start(|stream, behaviour| {
            let _ = answer_http(stream, &behaviour);
        })
    }

    pub fn ftp() -> Self {
        Self::start(|stream, behaviour| {
            let _ = answer_ftp(stream, &behaviour);
        })
    }

    fn start(answer: impl Fn(TcpStream, Arc<Mutex<Behaviour>>) + Send + Sync + Copy + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let behaviour = Arc::new(Mutex::new(Behaviour { version: "v1".into(), ..Behaviour::default() }));
        let shared = Arc::clone(&behaviour);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, shared));
            }
        });
        Self { behaviour, port }
    }

    pub fn add(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.with(|behaviour| behaviour.files.insert(path.to_owned(), bytes.into()));
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut Behaviour) -> T) -> T {
        change(&mut self.behaviour.lock().unwrap())
    }

    pub fn http_address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn ftp_address(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}{path}", self.port)
    }
}

impl Behaviour {
    /// Content of a file from `start` on, cut where that is due.
    fn content(&mut self, path: &str, start: usize, end: usize) -> Vec<u8> {
        self.asked.push((path.to_owned(), start as u64));
        let mut content = self.files[path][start..end].to_vec();
        if self.cuts > 0 && content.len() > self.cut_behind {
            self.cuts -= 1;
            content.truncate(self.cut_behind);
        }
        self.bytes_sent += content.len() as u64;
        content
    }
}

fn answer_http(stream: TcpStream, behaviour: &Mutex<Behaviour>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut range) = (String::new(), None);
    stream.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header)? <= 2 {
            break;
        }
        if let Some(span) = header.to_lowercase().strip_prefix("range: bytes=") {
            let (start, end) = span.trim().split_once('-').unwrap();
            range = Some((start.parse::<usize>().unwrap(), end.parse::<usize>().ok()));
        }
    }
    let mut behaviour = behaviour.lock().unwrap();
    let stream = stream.get_mut();
    let Some(size) = behaviour.files.get(&path).map(Vec::len) else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let (start, end) = match range.filter(|_| !behaviour.without_ranges) {
        Some((start, _)) if start >= size => {
            let status = "416 Range Not Satisfiable\r\nContent-Length: 0";
            return write!(stream, "HTTP/1.1 {status}\r\nContent-Range: bytes */{size}\r\nConnection: close\r\n\r\n");
        }
        Some((start, end)) => (start, end.map_or(size, |end| (end + 1).min(size))),
        None => (0, size),
    };
    if range.is_some() && !behaviour.without_ranges {
        write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{size}\r\n", end - 1)?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    let length = end - start;
    let version = behaviour.version.clone();
    write!(stream, "Content-Length: {length}\r\nETag: \"{version}\"\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&behaviour.content(&path, start, end))
}

fn answer_ftp(stream: TcpStream, behaviour: &Mutex<Behaviour>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut data, mut start) = (None, 0);
    write!(stream.get_mut(), "220-Welcome\r\n 220 is no end\r\n220 here\r\n")?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (command, argument) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let size = behaviour.lock().unwrap().files.get(argument).map(Vec::len);
        let reply = match (command, size) {
            ("USER", _) => "331 password?".to_owned(),
            ("PASS", _) => "230 in".to_owned(),
            ("TYPE", _) => "200 binary".to_owned(),
            ("SIZE" | "RETR" | "MDTM", None) => "550 no such file".to_owned(),
            ("SIZE", Some(size)) => format!("213 {size}"),
            ("MDTM", _) => format!("213 {}", behaviour.lock().unwrap().version),
            ("REST", _) => {
                start = argument.parse().unwrap();
                "350 from there".to_owned()
            }
            ("EPSV", _) => {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                let port = listener.local_addr()?.port();
                data = Some(listener);
                format!("229 Entering Extended Passive Mode (|||{port}|)")
            }
            ("RETR", Some(size)) => {
                write!(stream.get_mut(), "150 here it comes\r\n")?;
                let (mut connection, _) = data.take().unwrap().accept()?;
                let content = behaviour.lock().unwrap().content(argument, start, size);
                connection.write_all(&content)?;
                drop(connection);
                "226 done".to_owned()
            }
            _ => "502 what?".to_owned(),
        };
        write!(stream.get_mut(), "{reply}\r\n")?;
    }
}

/// Takes a connection and says nothing, ever.
pub fn silent_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming().flatten() {
            kept.push(stream);
            let _ = kept.last_mut().unwrap().read(&mut [0]);
        }
    });
    port
}
