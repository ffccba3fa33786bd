//! Where people and clients reach this server.

use std::fmt;

use url::Url;

use super::is_loopback;

/// The address of this server as everybody outside writes it: an origin, and a path where a proxy shares one origin
/// between several programs. Everything that Gatelet answers lies under it, but for the well-known addresses at the
/// root (RFC 8414 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    origin: String,
    path: String,
    loopback: bool,
}

/// Why a text can be neither the public URL nor the issuer. Both are compared as text by programs that parse and print
/// URLs in their own ways, so only a form that all of them leave alone will do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute http or https URL.
    #[error("must be an absolute URL, such as https://id.example.com")]
    Malformed,
    /// RFC 8414 §2: no query and no fragment; and no user information.
    #[error("must have no user name, no query and no fragment; write {normal}")]
    ExtraParts {
        /// The same without.
        normal: String,
    },
    /// RFC 8414 §2 asks for https; on loopback http does no harm.
    #[error(
        "plain http is for localhost, 127.0.0.1 and [::1] alone; from elsewhere passwords and tokens would cross the \
         network in the open: let a reverse proxy or a tunnel speak https, and write its https:// address"
    )]
    PlainHttp,
    /// Written in a way that a URL parser changes, so that two readers would see two addresses.
    #[error("is compared byte for byte, and many programs would rewrite it; write {normal}")]
    NotNormal {
        /// What they would make of it.
        normal: String,
    },
    /// Its path has other characters than letters, digits and `-._~`, or an empty segment.
    #[error("its path must be made of letters, digits and -._~ between single slashes")]
    Path,
}

/// A URL taken apart.
pub(super) struct Parts {
    pub(super) origin: String,
    /// As it was written: empty, `/`, `/oauth`, `/oauth/` …
    pub(super) path: String,
    pub(super) loopback: bool,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(UrlError::Malformed);
        }
        let loopback = is_loopback(&url.host().ok_or(UrlError::Malformed)?);
        if url.scheme() == "http" && !loopback {
            return Err(UrlError::PlainHttp);
        }
        let origin = url.origin().ascii_serialization();
        let bare = text.split(['?', '#']).next().unwrap_or(text).trim_end();
        // A parser shows an empty path as a slash.
        let path = if url.path() == "/" && !bare.ends_with('/') { "" } else { url.path() };
        if !is_plain(path) {
            return Err(UrlError::Path);
        }
        let normal = format!("{origin}{path}");
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::ExtraParts { normal });
        }
        if normal != text {
            return Err(UrlError::NotNormal { normal });
        }
        Ok(Self { origin, path: path.to_owned(), loopback })
    }
}

/// Whether a path can be mounted, and means the same to everybody.
fn is_plain(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(segments) = path.strip_prefix('/') else { return path.is_empty() };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    segments.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(plain))
}

impl PublicUrl {
    /// Accepts an https URL (http on loopback) that a URL parser leaves as it is; a slash at its end means nothing.
    ///
    /// # Errors
    /// What is wrong with it, and how to write it instead.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Parts { origin, path, loopback } = Parts::parse(text)?;
        let path = path.strip_suffix('/').unwrap_or(&path).to_owned();
        Ok(Self { origin, path, loopback })
    }

    /// The root of an origin.
    pub(super) fn root(parts: &Parts) -> Self {
        Self { origin: parts.origin.clone(), path: String::new(), loopback: parts.loopback }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its path, without a slash at the end: empty for a whole origin.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a page: `/auth/login` of `/login`.
    pub fn page(&self, page: &str) -> String {
        format!("{}{page}", self.path)
    }

    /// The absolute URL of a page.
    pub fn page_url(&self, page: &str) -> String {
        format!("{self}{page}")
    }

    /// Whether it names the machine it is read on.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_with_or_without_a_path() {
        for (text, origin, path, login) in [
            ("https://id.example", "https://id.example", "", "https://id.example/login"),
            ("https://id.example/", "https://id.example", "", "https://id.example/login"),
            ("https://id.example/auth", "https://id.example", "/auth", "https://id.example/auth/login"),
            ("https://id.example/auth/", "https://id.example", "/auth", "https://id.example/auth/login"),
            ("https://id.example/login", "https://id.example", "/login", "https://id.example/login/login"),
            ("http://[::1]:8710/a/b", "http://[::1]:8710", "/a/b", "http://[::1]:8710/a/b/login"),
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!((url.origin(), url.path()), (origin, path));
            assert_eq!(url.page_url("/login"), login);
            assert_eq!(format!("{origin}{}", url.page("/login")), login);
            assert_eq!(url.is_loopback(), text.starts_with("http:"));
        }
    }

    #[test]
    fn what_is_offered_instead_is_accepted() {
        for (text, normal) in [
            ("https://ID.example", "https://id.example"),
            ("HTTPS://id.example/", "https://id.example/"),
            ("https://id.example:443", "https://id.example"),
            ("https://id.example:443/oauth/", "https://id.example/oauth/"),
            ("http://localhost:80/oauth", "http://localhost/oauth"),
            (" https://id.example ", "https://id.example"),
            ("https:id.example", "https://id.example"),
            ("https://id.example/a/../b", "https://id.example/b"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
            ("http://127.1:8710", "http://127.0.0.1:8710"),
            ("https://id.example?", "https://id.example"),
            ("https://id.example/?x=/", "https://id.example/"),
            ("https://id.example/oauth#x", "https://id.example/oauth"),
            ("https://u:p@id.example/oauth", "https://id.example/oauth"),
        ] {
            let error = PublicUrl::parse(text).unwrap_err();
            assert!(error.to_string().ends_with(&format!("; write {normal}")), "{text}: {error}");
            assert!(!error.to_string().contains("u:p"), "no password is repeated");
            assert_eq!(Parts::parse(normal).map(|parts| parts.origin + &parts.path).as_deref(), Ok(normal));
        }
    }
}
