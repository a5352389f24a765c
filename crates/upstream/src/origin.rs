//! Where a service is reached: the root under which it is called, taken apart once.

use http::HeaderValue;
use url::Url;

/// What connections are kept by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The name or address, without brackets.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
}

/// The root of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Whom to connect to.
    pub origin: Origin,
    /// What `Host` says.
    pub host: HeaderValue,
    /// What paths begin with; without a slash at its end, and without a trailing `/v1`, which would be doubled.
    pub prefix: Box<str>,
}

impl Root {
    /// Takes a url apart; none where nothing can be called under it.
    pub fn read(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let shown = url.host_str()?;
        let host = shown.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default()?;
        let named = url.port().map_or_else(|| shown.to_owned(), |port| format!("{shown}:{port}"));
        let path = url.path().trim_end_matches('/');
        Some(Self {
            origin: Origin { tls, host: host.into(), port },
            host: HeaderValue::try_from(named).ok()?,
            prefix: path.strip_suffix("/v1").unwrap_or(path).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_taken_apart_and_its_version_is_not_doubled() {
        let read = |url: &str| {
            Root::read(url).map(|root| {
                let host = root.host.to_str().unwrap().to_owned();
                (
                    root.origin.tls,
                    root.origin.port,
                    root.origin.host.to_string(),
                    host,
                    root.prefix.to_string(),
                )
            })
        };
        let of = |tls, port, host: &str, named: &str, prefix: &str| {
            Some((tls, port, host.to_owned(), named.to_owned(), prefix.to_owned()))
        };
        assert_eq!(read("http://127.0.0.1:8050"), of(false, 8050, "127.0.0.1", "127.0.0.1:8050", ""));
        assert_eq!(read("http://127.0.0.1:1234/v1/"), of(false, 1234, "127.0.0.1", "127.0.0.1:1234", ""));
        assert_eq!(read("https://api.x.ai/some/v1"), of(true, 443, "api.x.ai", "api.x.ai", "/some"));
        assert_eq!(read("http://[::1]:80/v1beta"), of(false, 80, "::1", "[::1]", "/v1beta"));
        assert_eq!(read("unix:///tmp/socket"), None);
        assert_eq!(read("nonsense"), None);
    }
}
