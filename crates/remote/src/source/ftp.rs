//! Reading files by FTP: RFC 959, with EPSV (RFC 2428), SIZE and REST (RFC 3659). Nothing is written.

use super::{Failure, Opened, PATIENCE};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use url::Url;

/// The connection that commands go through.
struct Control {
    stream: BufReader<TcpStream>,
}

/// What a server answers: a code of three digits, and a text.
struct Reply {
    code: u16,
    text: String,
}

pub(super) fn open(url: &Url, start: u64) -> Result<Opened, Failure> {
    let host = url.host_str().unwrap_or_default();
    let mut control = Control { stream: BufReader::new(connect(host, url.port().unwrap_or(21))?) };
    control.reply()?.expect(&[220])?;
    let user = Some(url.username()).filter(|user| !user.is_empty()).unwrap_or("anonymous");
    let reply = control.ask(&format!("USER {user}"))?.expect(&[230, 331])?;
    if reply.code == 331 {
        control.ask(&format!("PASS {}", url.password().unwrap_or("seedsieve@")))?.expect(&[230, 202])?;
    }
    control.ask("TYPE I")?.expect(&[200])?;
    let path = percent_decoded(url.path());
    let size = control.ask(&format!("SIZE {path}"))?;
    let size = if size.code == 213 { size.text.trim().parse().ok() } else { None };
    let time = control.ask(&format!("MDTM {path}"))?;
    let version = if time.code == 213 { time.text.trim().to_owned() } else { String::new() };
    // The address that a server behind a translator gives is often not its own: that of the control connection is right.
    let port = control.ask("EPSV")?.expect(&[229])?.port()?;
    if start > 0 {
        control.ask(&format!("REST {start}"))?.expect(&[350])?;
    }
    let data = connect(host, port)?;
    control.ask(&format!("RETR {path}"))?.expect(&[125, 150])?;
    Ok(Opened { bytes: Box::new(Data { data, _control: control }), start, size, version })
}

/// Bytes of a file; the control connection stays open as long.
struct Data {
    data: TcpStream,
    _control: Control,
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.data.read(buffer)
    }
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("host {host} not found"));
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Control {
    fn ask(&mut self, command: &str) -> Result<Reply, Failure> {
        // A line end within would be another command.
        if command.contains(['\r', '\n']) {
            return Err(Failure::Lasting("the path has a line end".to_owned()));
        }
        self.stream.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    /// The next answer. One of several lines begins with `CODE-` and ends with a line `CODE `.
    fn reply(&mut self) -> Result<Reply, Failure> {
        let mut first: Option<String> = None;
        loop {
            let mut line = String::new();
            if self.stream.by_ref().take(1 << 16).read_line(&mut line)? == 0 {
                return Err(Failure::Passing("the server closed the connection".to_owned()));
            }
            let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
            if let Some(code) = code
                && line.as_bytes().get(3) != Some(&b'-')
                && first.as_deref().is_none_or(|first| first == code)
            {
                let code = code.parse().map_err(|_| Failure::Passing(format!("the server says `{}`", line.trim())))?;
                return Ok(Reply { code, text: line[3..].trim().to_owned() });
            }
            first = first.or_else(|| code.map(str::to_owned));
        }
    }
}

impl Reply {
    fn expect(self, codes: &[u16]) -> Result<Self, Failure> {
        if codes.contains(&self.code) {
            return Ok(self);
        }
        let said = format!("the server says {} {}", self.code, self.text);
        // 4xx: for now (RFC 959, section 4.2.1); 5xx: for good.
        Err(if self.code >= 500 { Failure::Lasting(said) } else { Failure::Passing(said) })
    }

    /// The port in `Entering Extended Passive Mode (|||PORT|)`.
    fn port(&self) -> Result<u16, Failure> {
        let port = self.text.rsplit_once("(|||").and_then(|(_, rest)| rest.split_once('|')?.0.parse().ok());
        port.ok_or_else(|| Failure::Lasting(format!("the server says `{}`, which names no port", self.text)))
    }
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [byte, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
