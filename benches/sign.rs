//! Access tokens per second on one core, beside the raw signature that no RS256 token can undercut and beside
//! `jsonwebtoken::encode`, which parses the key for every token. Run with `cargo bench --bench sign`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use gatelet::protocol::{ClientId, GrantId, Scope, SigningAlg, Timestamp};
use gatelet::random::Random;
use gatelet::tokens::{AccessTokenClaims, Jti, KeyRing, TEST_KEYS, TokenKind};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;

type Failure = Box<dyn std::error::Error>;

/// How long each case runs in each round; the cases take turns, so that a noisy moment hits all of them.
const TURN: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;

struct Case<'a> {
    name: &'static str,
    sign: Box<dyn FnMut() -> Result<usize, Failure> + 'a>,
    rates: Vec<f64>,
}

impl<'a> Case<'a> {
    fn new(name: &'static str, sign: impl FnMut() -> Result<usize, Failure> + 'a) -> Self {
        Self { name, sign: Box::new(sign), rates: vec![] }
    }

    fn take_turn(&mut self) -> Result<(), Failure> {
        let (start, mut signed) = (Instant::now(), 0);
        while start.elapsed() < TURN {
            std::hint::black_box((self.sign)()?);
            signed += 1;
        }
        self.rates.push(f64::from(signed) / start.elapsed().as_secs_f64());
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates[ROUNDS / 2]
    }
}

fn claims() -> Result<AccessTokenClaims, Failure> {
    let issued_at = Timestamp::from_seconds(1_800_000_000);
    Ok(AccessTokenClaims {
        issuer: "https://auth.example.com/oauth".to_owned(),
        subject: "ada".to_owned(),
        audience: "https://mcp.example.com/mcp".to_owned(),
        client_id: ClientId::parse("editor").ok_or("client id")?,
        issued_at,
        expires_at: issued_at.plus(Duration::from_secs(900)),
        jti: Jti::for_grant(&GrantId::new(issued_at, [1; 10]), &Random::seeded(1)),
        scope: Scope::parse("notes:read notes:write").map_err(|_| "scope")?,
        auth_time: Some(issued_at),
        acr: None,
        mapped: BTreeMap::new(),
    })
}

fn main() -> Result<(), Failure> {
    let claims = claims()?;
    let ring = KeyRing::new(vec![TEST_KEYS[0].signing_key()], [])?;
    let private = RsaPrivateKey::from_pkcs8_pem(TEST_KEYS[0].pem)?.to_pkcs1_der()?;
    let pair = RsaKeyPair::from_der(private.as_bytes())?;
    let message = vec![b'x'; 600];
    let encoding_key = EncodingKey::from_rsa_der(private.as_bytes());
    let mut cases = [
        Case::new("raw aws-lc-rs signature", || {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)?;
            Ok(signature.len())
        }),
        Case::new("KeyRing::sign", || {
            Ok(ring.sign(TokenKind::AccessToken, SigningAlg::Rs256, &claims)?.len())
        }),
        Case::new("jsonwebtoken::encode", || {
            Ok(encode(&Header::new(Algorithm::RS256), &claims, &encoding_key)?.len())
        }),
    ];
    for _ in 0..ROUNDS {
        for case in &mut cases {
            case.take_turn()?;
        }
    }
    let raw = cases[0].median();
    for case in &mut cases {
        let rate = case.median();
        println!("{:<28} {rate:>7.0}/s  {:>6.1} µs  {:.2} of raw", case.name, 1e6 / rate, rate / raw);
    }
    Ok(())
}
