//! Public keys as JSON Web Keys (RFC 7517).

use aws_lc_rs::digest;
use jsonwebtoken::DecodingKey;
use rsa::pkcs8::{Document, EncodePublicKey, LineEnding};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};
use serde::{Deserialize, Serialize};

use super::base64url;
use crate::protocol::SigningAlg;

/// What stands before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2.1.1): `id-ecPublicKey`,
/// `secp256r1` and the head of a bit string of 65 bytes.
const P256_SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What stands before the coordinates of a point that is not compressed (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 0x04;

/// The public part of a signing key as the JWKS shows it (RFC 7517 §4, RFC 7518 §6.2.1 and §6.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    #[serde(flatten)]
    key: PublicKey,
    #[serde(rename = "use")]
    usage: String,
    alg: SigningAlg,
    kid: String,
}

/// What differs between the kinds of keys, each number in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
enum PublicKey {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
}

impl PublicJwk {
    /// Describes an RSA key that signs with RS256; `kid` is its thumbprint unless another is given.
    pub(super) fn rs256(key: &RsaPublicKey, kid: Option<&str>) -> Self {
        let n = base64url::encode(key.n().to_bytes_be());
        let e = base64url::encode(key.e().to_bytes_be());
        Self::new(PublicKey::Rsa { n, e }, SigningAlg::Rs256, kid)
    }

    /// Describes a P-256 key that signs with ES256 by its uncompressed point; `None` if that is no such point.
    pub(super) fn es256(point: &[u8], kid: Option<&str>) -> Option<Self> {
        let (&[UNCOMPRESSED], coordinates) = point.split_first_chunk::<1>()? else { return None };
        let (x, y) = coordinates.split_at_checked(32).filter(|(_, y)| y.len() == 32)?;
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        Some(Self::new(PublicKey::Ec { crv: "P-256".to_owned(), x, y }, SigningAlg::Es256, kid))
    }

    fn new(key: PublicKey, alg: SigningAlg, kid: Option<&str>) -> Self {
        let mut jwk = Self { key, usage: "sig".to_owned(), alg, kid: String::new() };
        jwk.kid = kid.map_or_else(|| jwk.thumbprint(), str::to_owned);
        jwk
    }

    /// Reads what [`PublicJwk::to_json`] wrote.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The JWK as JSON.
    #[expect(clippy::expect_used, reason = "text members and a tag are always JSON")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a JWK is JSON")
    }

    /// The key's name, unique within a key ring (RFC 7517 §4.5).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that it is used with.
    pub fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The SHA-256 thumbprint of RFC 7638 §3 in base64url: the same for the same key, whatever its `kid`.
    pub fn thumbprint(&self) -> String {
        let required = match &self.key {
            PublicKey::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            PublicKey::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
        };
        base64url::encode(digest::digest(&digest::SHA256, required.as_bytes()))
    }

    /// The key as a PEM text, `BEGIN PUBLIC KEY` (RFC 7468 §13), for verifiers that take no JWK; `None` if the numbers
    /// are not those of a key.
    pub fn to_pem(&self) -> Option<String> {
        match &self.key {
            PublicKey::Rsa { n, e } => {
                let number = |text| Some(BigUint::from_bytes_be(&base64url::decode(text)?));
                RsaPublicKey::new(number(n)?, number(e)?).ok()?.to_public_key_pem(LineEnding::LF).ok()
            }
            PublicKey::Ec { x, y, .. } => {
                let (x, y) = (base64url::decode_exactly::<32>(x)?, base64url::decode_exactly::<32>(y)?);
                let der = [&P256_SPKI_HEAD[..], &[UNCOMPRESSED], &x, &y].concat();
                Document::try_from(der).ok()?.to_pem("PUBLIC KEY", LineEnding::LF).ok()
            }
        }
    }

    /// The key as the library that checks signatures takes it.
    pub(super) fn decoding_key(&self) -> Option<DecodingKey> {
        match &self.key {
            PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e).ok(),
            PublicKey::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y).ok(),
        }
    }

    /// Modulus or coordinate: what everybody knows of the key.
    #[cfg(test)]
    pub(super) fn number(&self) -> &str {
        match &self.key {
            PublicKey::Rsa { n, .. } => n,
            PublicKey::Ec { x, .. } => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_\
                 BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_\
                 FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI\
                 4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = RsaPublicKey::new(
            BigUint::from_bytes_be(&base64url::decode(n).unwrap()),
            BigUint::from(65537_u32),
        );
        let jwk = PublicJwk::rs256(&key.unwrap(), None);
        assert_eq!(jwk.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(jwk.number(), n);
    }

    #[test]
    fn an_elliptic_key_is_described_by_its_point() {
        // RFC 7517 appendix A.1; its thumbprint is that of RFC 9278 §3's way of counting: crv, kty, x, y.
        let (x, y) =
            ("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        let point = [vec![4], base64url::decode(x).unwrap(), base64url::decode(y).unwrap()].concat();
        let jwk = PublicJwk::es256(&point, Some("1")).unwrap();
        let json = serde_json::to_value(&jwk).unwrap();
        let expected = serde_json::json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": "1"
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<PublicJwk>(json).unwrap(), jwk);
        for bad in [&point[1..], &point[..64], &[&[2], &point[1..]].concat(), &[]] {
            assert_eq!(PublicJwk::es256(bad, None), None);
        }
    }

    #[test]
    fn a_public_key_is_written_as_the_pem_that_others_read() {
        // RFC 7468 §13, RFC 5480 §2.1.1: the file is what `openssl pkey -pubout` prints for the private key beside it.
        let pem = |private| {
            let key = super::super::key::SigningKey::import_pem(private, None).unwrap();
            key.public_jwk().to_pem().unwrap()
        };
        assert_eq!(pem(include_str!("testdata/p256.pem")), include_str!("testdata/p256.pub.pem"));
        let rsa = super::super::test_keys::TEST_KEYS[0].pem;
        assert_eq!(pem(rsa), include_str!("testdata/test-rs256-1.pub.pem"));
    }
}
