//! Where to connect, and as whom.

use std::fs;

use tokio_tungstenite::tungstenite::{
    client::IntoClientRequest,
    handshake::client::Request,
    http::{HeaderName, HeaderValue, Uri, header},
};

use crate::{failure::Failure, options::Options};

/// The subprotocol of a chatrooms server.
const PROTOCOL: &str = "chatrooms.v1.json";

/// The server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    path: String,
    /// By number; none where the options say otherwise who somebody is.
    cookies: Vec<String>,
}

impl Target {
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let url = &options.url;
        let uri: Uri = url.parse().map_err(|error| Failure::Url(format!("{url}: {error}")))?;
        match uri.scheme_str() {
            Some("ws") => {}
            Some("wss" | "https") => {
                let problem = "there is no TLS in this: point it at the server behind the proxy";
                return Err(Failure::Url(problem.into()));
            }
            _ => return Err(Failure::Url(format!("{url}: ws://HOST:PORT/MOUNT/ws is expected"))),
        }
        let host = uri.host().unwrap_or_default().to_owned();
        let (port, path) = (uri.port_u16().unwrap_or(80), uri.path().to_owned());
        Ok(Self { host, port, path, cookies: cookies(options)? })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The handshake of the user with a number, who joins a room by it.
    pub(crate) fn request(
        &self,
        options: &Options,
        number: usize,
        room: &str,
    ) -> Result<Request, Failure> {
        let user = options.user.replace("{number}", &number.to_string());
        let filled =
            |text: &str| text.replace("{user}", &user).replace("{number}", &number.to_string());
        let mut url = format!("ws://{}{}?room={}", self.address(), self.path, encoded(room));
        for pair in options.query.iter().filter(|pair| !pair.is_empty()) {
            url = format!("{url}&{}", filled(pair).replace(' ', "%20"));
        }
        let told =
            |what: &str, error: &dyn std::fmt::Display| Failure::Other(format!("{what}: {error}"));
        let mut request = url.as_str().into_client_request().map_err(|error| told(&url, &error))?;
        let headers = request.headers_mut();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        let own = self.cookies.get(number % self.cookies.len().max(1)).cloned();
        if let Some(cookie) = own.or_else(|| options.cookie.as_deref().map(filled)) {
            let cookie = cookie.parse().map_err(|error| told("--cookie", &error))?;
            headers.insert(header::COOKIE, cookie);
        }
        for line in &options.header {
            let (name, value) = line.split_once(':').ok_or_else(|| {
                Failure::Other(format!("--header {line}: NAME: VALUE is expected"))
            })?;
            let name: HeaderName = name.trim().parse().map_err(|error| told("--header", &error))?;
            let value = filled(value.trim()).parse().map_err(|error| told("--header", &error))?;
            headers.append(name, value);
        }
        Ok(request)
    }
}

/// One for each of the first users.
fn cookies(options: &Options) -> Result<Vec<String>, Failure> {
    let Some(path) = &options.cookies else { return Ok(Vec::new()) };
    let told = |problem: &dyn std::fmt::Display| {
        Failure::Other(format!("--cookies {}: {problem}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| told(&error))?;
    let cookies: Vec<String> = text.lines().map(str::to_owned).collect();
    if cookies.is_empty() { Err(told(&"there is none in it")) } else { Ok(cookies) }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
