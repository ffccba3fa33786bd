//! Where a server is, for its clients and for the probe, and where its metadata are.

use url::Url;

use crate::probe::Settings;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Where the server is, and what it has to say of itself.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Place<'a> {
    /// Where the probe reaches it.
    pub(super) target: &'a str,
    /// Its URL as clients are given it.
    pub(in crate::probe) resource: &'a str,
    /// The issuer that it trusts.
    pub(super) issuer: &'a str,
}

impl<'a> Place<'a> {
    /// By what the person at the command line says.
    pub(in crate::probe) fn new(settings: &'a Settings, issuer: &'a str) -> Self {
        let target = settings.target.as_str();
        Self { target, resource: settings.resource.as_deref().unwrap_or(target), issuer }
    }

    /// A URL of the server's public origin as the probe reaches it.
    pub(super) fn reached(&self, url: &str) -> String {
        let parsed = (Url::parse(url), Url::parse(self.resource), Url::parse(self.target));
        let (Ok(mut at), Ok(public), Ok(target)) = parsed else { return url.to_owned() };
        if at.origin() != public.origin() || public.origin() == target.origin() {
            return url.to_owned();
        }
        // Both are http or https, whose scheme, host and port can be exchanged.
        let _ = at.set_scheme(target.scheme());
        let _ = at.set_host(target.host_str());
        let _ = at.set_port(target.port());
        at.into()
    }

    /// Where the metadata are by RFC 9728 §3.1: with the server's path, as it is and without a slash at its end, or with
    /// the path by which the probe reaches it.
    pub(super) fn with_path(&self) -> Vec<String> {
        let mut urls = Vec::new();
        for url in [self.reached(&well_known(self.resource)), well_known(self.target)] {
            let stripped = url.trim_end_matches('/').to_owned();
            for url in [url, stripped] {
                if !urls.contains(&url) {
                    urls.push(url);
                }
            }
        }
        urls
    }

    /// Where they may be instead, by MCP.
    pub(super) fn at_root(&self) -> String {
        well_known(&origin(self.target).unwrap_or_default())
    }
}

/// Where RFC 9728 §3.1 says: the well-known string between host and path. A slash that is the whole path goes.
fn well_known(target: &str) -> String {
    let Ok(mut url) = Url::parse(target) else { return String::new() };
    let path = Some(url.path()).filter(|path| *path != "/").unwrap_or_default().to_owned();
    url.set_path(&format!("{WELL_KNOWN}{path}"));
    url.into()
}

/// Scheme, host and port.
pub(super) fn origin(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(target: &'a str, resource: &'a str) -> Place<'a> {
        Place { target, resource, issuer: "http://127.0.0.1:1/oauth" }
    }

    #[test]
    fn the_well_known_string_goes_between_host_and_path() {
        // RFC 9728 §3.1
        for (url, expected) in [
            ("https://mcp.example/mcp", "https://mcp.example/.well-known/oauth-protected-resource/mcp"),
            (
                "https://mcp.example:8443/a/b/",
                "https://mcp.example:8443/.well-known/oauth-protected-resource/a/b/",
            ),
            ("https://mcp.example/", "https://mcp.example/.well-known/oauth-protected-resource"),
            ("https://mcp.example", "https://mcp.example/.well-known/oauth-protected-resource"),
            ("https://mcp.example/m?k=1", "https://mcp.example/.well-known/oauth-protected-resource/m?k=1"),
        ] {
            assert_eq!(well_known(url), expected);
        }
    }

    #[test]
    fn metadata_are_looked_for_as_clients_do_and_where_the_probe_reaches_the_server() {
        // RFC 9728 §3.1; MCP 2026-07-28 authorization, Protected Resource Metadata Discovery Requirements
        let direct = place("https://mcp.example/a/", "https://mcp.example/a/");
        let a = "https://mcp.example/.well-known/oauth-protected-resource/a";
        assert_eq!(direct.with_path(), [format!("{a}/"), a.to_owned()]);
        assert_eq!(direct.at_root(), "https://mcp.example/.well-known/oauth-protected-resource");
        let behind = place("http://127.0.0.1:8000/mcp", "https://mcp.example/notes/mcp");
        let local = "http://127.0.0.1:8000/.well-known/oauth-protected-resource";
        assert_eq!(behind.with_path(), [format!("{local}/notes/mcp"), format!("{local}/mcp")]);
        assert_eq!(behind.reached("https://mcp.example/x?y"), "http://127.0.0.1:8000/x?y");
        assert_eq!(behind.reached("https://other.example/x"), "https://other.example/x");
    }
}
