//! The static files that pages load, inside the binary, each under a path that names its content.

use std::sync::LazyLock;

/// A static file. Its path changes with its content, so it may be cached for ever.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Absolute path, e.g. `/assets/gatelet.0123456789abcdef.css`.
    pub path: String,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
}

const STYLESHEET: usize = 0;
const LOGO: usize = 1;

static ASSETS: LazyLock<[Asset; 2]> = LazyLock::new(|| {
    [
        asset("css", "text/css; charset=utf-8", include_bytes!("../../assets/gatelet.css")),
        asset("svg", "image/svg+xml", include_bytes!("../../assets/gatelet.svg")),
    ]
});

/// Every static file, to be served with `Cache-Control: public, max-age=31536000, immutable`.
pub fn assets() -> &'static [Asset] {
    &*ASSETS
}

/// Path of the one stylesheet.
pub fn stylesheet_path() -> &'static str {
    &ASSETS[STYLESHEET].path
}

/// Path of the logo, which is the favicon too.
pub fn logo_path() -> &'static str {
    &ASSETS[LOGO].path
}

fn asset(extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path: format!("/assets/gatelet.{:016x}.{extension}", fnv1a(bytes)), content_type, bytes }
}

/// FNV-1a, 64 bits: it names a version of our own file and protects nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_names_the_content() {
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c, "the published test vector");
        assert!(stylesheet_path().ends_with(".css") && logo_path().ends_with(".svg"));
    }
}
