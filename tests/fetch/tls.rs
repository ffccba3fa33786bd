//! Whom the guarded fetch trusts: certificate authorities of the machine, and one's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use gatelet::fetch::{FetchError, FetchOptions, Fetcher};
use libtest_mimic::Trial;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::peer::{Manners, Peer, fetcher, json, loopback_options, on_loopback};
use crate::{CHILD, trials};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_private_authority_is_trusted_by_its_file_alone,
        certificates_are_checked,
        an_authority_file_that_cannot_be_used_is_a_line_that_names_it,
        a_server_does_not_start_with_a_missing_authority_file,
        the_environment_may_name_authorities_and_proxies_are_not_asked,
    ]
}

/// A certificate authority of this test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A file in the temporary directory of this test binary, gone at the end.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, text: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fetch-{name}-{}", std::process::id()));
        std::fs::write(&path, text).expect("written");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "An authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A file that holds its certificate.
    pub(crate) fn file(&self, name: &str) -> TempFile {
        TempFile::new(name, &self.0.pem())
    }

    /// What a server of this name speaks TLS with.
    pub(crate) fn server(&self, name: &str) -> TlsAcceptor {
        self.server_of(CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    fn server_of(&self, params: CertificateParams) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("they fit");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server on loopback with this certificate, and its URL.
async fn peer(tls: TlsAcceptor) -> (Peer, String) {
    let peer = Peer::start(Manners::answer(json(b"{}")).tls(tls)).await;
    let url = format!("https://localhost:{}/id.json", peer.address.port());
    (peer, url)
}

fn trusting(file: &Path) -> Fetcher {
    fetcher(FetchOptions { ca_file: Some(file.to_owned()), ..loopback_options() })
}

/// Refused as a matter of trust, before a word of HTTP.
async fn refused(fetcher: &Fetcher, peer: &Peer, url: &str) -> String {
    let error = fetcher.json(url).await.unwrap_err();
    let FetchError::Http(why) = error else { panic!("{error}") };
    assert_eq!(peer.requests(), [""; 0]);
    why
}

async fn a_private_authority_is_trusted_by_its_file_alone() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (peer, url) = peer(authority.server("localhost")).await;
    let why = refused(&on_loopback(), &peer, &url).await;
    assert!(why.contains("UnknownIssuer"), "{why}");
    refused(&trusting(other.file("other").path()), &peer, &url).await;
    assert!(peer.connections() >= 2);
    assert!(trusting(authority.file("own").path()).json(&url).await.is_ok());
    let both = TempFile::new("both", &format!("# two\n{}\n{}", other.0.pem(), authority.0.pem()));
    assert!(trusting(both.path()).json(&url).await.is_ok());
}

async fn certificates_are_checked() {
    let authority = Authority::new();
    let file = authority.file("checked");
    let fetcher = trusting(file.path());
    let named = |name: &str| CertificateParams::new([name.to_owned()]).unwrap();
    let mut expired = named("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = named("localhost");
    early.not_before = date_time_ymd(4000, 1, 1);
    for (params, expected) in [
        (named("client.example"), "not valid for name"),
        (named("127.0.0.1"), "not valid for name"),
        (named("localhost.client.example"), "not valid for name"),
        (expired, "expired"),
        (early, "not valid yet"),
    ] {
        let (peer, url) = peer(authority.server_of(params)).await;
        let why = refused(&fetcher, &peer, &url).await;
        assert!(why.contains(expected), "{why}");
        assert!(why.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{why}");
    }
    let (_peer, url) = peer(authority.server("localhost")).await;
    assert!(fetcher.json(&url).await.is_ok());
}

async fn an_authority_file_that_cannot_be_used_is_a_line_that_names_it() {
    let pem = Authority::new().0.pem();
    let key = KeyPair::generate().unwrap().serialize_pem();
    let begin = "-----BEGIN CERTIFICATE-----\n";
    for (name, text) in [
        ("empty", String::new()),
        ("words", "certificates".to_owned()),
        ("key", key),
        ("no-certificate", format!("{begin}AAAA\n-----END CERTIFICATE-----\n")),
        ("no-base64", format!("{begin}????\n-----END CERTIFICATE-----\n")),
        ("second-is-none", format!("{pem}{begin}AAAA\n-----END CERTIFICATE-----\n")),
        ("cut", pem[..pem.len() / 2].to_owned()),
    ] {
        let file = TempFile::new(name, &text);
        let options = FetchOptions { ca_file: Some(file.path().to_owned()), ..loopback_options() };
        let error = Fetcher::new(options).expect_err(name).to_string();
        let expected = format!("fetch.ca_file: {}: holds ", file.path().display());
        assert!(error.starts_with(&expected) && !error.contains('\n'), "{name}: {error}");
    }
}

async fn a_server_does_not_start_with_a_missing_authority_file() {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fetch-serve-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let config =
        "public_url = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\n[fetch]\nca_file = \"ca.pem\"\n";
    std::fs::write(directory.join("gatelet.toml"), config).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_gatelet"));
    let output = server.arg("serve").current_dir(&directory).env_clear().output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let file = directory.join("ca.pem");
    let expected =
        format!("error: fetch.ca_file: {}: No such file or directory (os error 2)\n", file.display());
    assert_eq!(printed, expected);
    std::fs::remove_dir_all(directory).unwrap();
}

async fn the_environment_may_name_authorities_and_proxies_are_not_asked() {
    let authority = Authority::new();
    let (own, other) = (authority.file("environment"), Authority::new().file("environment-other"));
    let (_peer, url) = peer(authority.server("localhost")).await;
    let proxy = Peer::start(Manners::answer(json(b"{}"))).await;
    for (file, trusted) in [(&own, true), (&other, false)] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child.env_clear().env(CHILD, &url).env("SSL_CERT_FILE", file.path());
        for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            child.env(variable, proxy.url("/"));
        }
        let output = child.output().await.unwrap();
        assert_eq!(output.status.success(), trusted, "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(proxy.connections(), 0);
}

/// What the process does that is started with another environment: one fetch.
pub(crate) async fn child(url: String) -> std::process::ExitCode {
    match on_loopback().json(&url).await {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
