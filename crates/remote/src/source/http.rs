use super::{Failure, Opened, PATIENCE};
use crate::Address;
use std::sync::LazyLock;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::{Agent, Error};

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(PATIENCE))
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        // Of each read, as a whole file may take hours.
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("seedsieve/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
});

pub(super) fn open(address: &Address, start: u64, end: Option<u64>) -> Result<Opened, Failure> {
    let mut request = AGENT.get(address.to_string()).header(header::ACCEPT_ENCODING, "identity");
    let all = start == 0 && end.is_none();
    if !all {
        let end = end.map_or_else(String::new, |end| (end - 1).to_string());
        request = request.header(header::RANGE, format!("bytes={start}-{end}"));
    }
    let response = request.call().map_err(|error| match error {
        Error::BadUri(_) | Error::Http(_) | Error::TooManyRedirects => Failure::Lasting(error.to_string()),
        other => Failure::Passing(other.to_string()),
    })?;
    let status = response.status();
    let headers = response.headers();
    let version = [header::ETAG, header::LAST_MODIFIED].into_iter().find_map(|name| text(headers, &name));
    let version = version.unwrap_or_default().to_owned();
    let length = text(headers, &header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let (start, size) = match status {
        StatusCode::OK => (0, length),
        StatusCode::PARTIAL_CONTENT => {
            let range = text(headers, &header::CONTENT_RANGE).unwrap_or_default();
            content_range(range).ok_or_else(|| Failure::Lasting(format!("an answer with Content-Range `{range}`")))?
        }
        // What is there already is all there is, or more.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let size = text(headers, &header::CONTENT_RANGE).and_then(|range| range.rsplit_once('/')?.1.parse().ok());
            return Ok(Opened { bytes: Box::new(std::io::empty()), start, size, version });
        }
        _ => {
            let said = format!("the server answers {status}");
            let passing = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
            return Err(if passing { Failure::Passing(said) } else { Failure::Lasting(said) });
        }
    };
    Ok(Opened { bytes: Box::new(response.into_body().into_reader()), start, size, version })
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Start and size of `bytes START-END/SIZE`; the size may be `*`.
fn content_range(range: &str) -> Option<(u64, Option<u64>)> {
    let (span, size) = range.strip_prefix("bytes ")?.split_once('/')?;
    Some((span.split_once('-')?.0.parse().ok()?, size.parse().ok()))
}
