//! Keys for one purpose, derived from a 256-bit root key that is itself used for nothing else.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

/// An HMAC-SHA256 key that is good for `purpose` alone: HKDF-Expand (RFC 5869 §2.3) of the root key, which for 32
/// bytes is one HMAC over the purpose and the octet 1.
pub(super) fn derive(root: &[u8; 32], purpose: &str) -> Key {
    let block = hmac::sign(&Key::new(HMAC_SHA256, root), &[purpose.as_bytes(), &[1]].concat());
    Key::new(HMAC_SHA256, block.as_ref())
}

/// The HMAC of a text as its 32 bytes.
pub(super) fn tag(key: &Key, text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hmac::sign(key, text).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};

    use super::*;

    #[test]
    fn subkeys_are_those_of_hkdf_expand() {
        let root = [7; 32];
        let mut expanded = [0; 32];
        Prk::new_less_safe(HKDF_SHA256, &root)
            .expand(&[b"hashing"], HKDF_SHA256)
            .unwrap()
            .fill(&mut expanded)
            .unwrap();
        assert_eq!(tag(&derive(&root, "hashing"), b"x"), tag(&Key::new(HMAC_SHA256, &expanded), b"x"));
    }

    #[test]
    fn purposes_have_different_keys() {
        assert_ne!(tag(&derive(&[7; 32], "hashing"), b"x"), tag(&derive(&[7; 32], "refresh"), b"x"));
    }
}
