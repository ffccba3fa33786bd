//! Behind a proxy that serves this server under a path and takes the path off before it passes a request on.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use tower::ServiceBuilder;

/// Puts the path of the public URL back where it is missing, so that everything within sees the addresses that people
/// and clients see. A proxy that leaves it alone is the rule; this is for those that do not.
pub(super) fn restored(base: &str, routes: Router) -> Router {
    if base.is_empty() {
        return routes;
    }
    let base = base.to_owned();
    let restore = move |mut request: Request| {
        if let Some(uri) = restored_uri(&base, request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    };
    // Around a router and not a layer of it: layers come after the routing.
    Router::new().fallback_service(ServiceBuilder::new().map_request(restore).service(routes))
}

/// The address with the path put back; nothing when it is there, or when the address is one at the root.
fn restored_uri(base: &str, uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let is_whole = path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_at_root = path.starts_with("/.well-known/") || matches!(path, "/healthz" | "/readyz");
    if is_whole || is_at_root {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{base}{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_put_back_where_a_proxy_took_it_off() {
        for (seen, meant) in [
            ("/oauth/token", "/auth/oauth/token"),
            ("/", "/auth/"),
            ("/login?continue=a%2Fb", "/auth/login?continue=a%2Fb"),
            ("/authority", "/auth/authority"),
            ("/auth", "/auth"),
            ("/auth/oauth/token", "/auth/oauth/token"),
            (
                "/.well-known/oauth-authorization-server/auth/oauth",
                "/.well-known/oauth-authorization-server/auth/oauth",
            ),
            ("/healthz", "/healthz"),
        ] {
            let uri: Uri = seen.parse().unwrap();
            assert_eq!(restored_uri("/auth", &uri).unwrap_or(uri), meant, "{seen}");
        }
    }
}
