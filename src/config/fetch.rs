//! `[fetch]`, and `client_documents`: what is fetched from strangers, and how.

use std::path::PathBuf;

use super::check::Check;
use super::read::Example::Value;
use super::read::section;
use super::server::{RawConfig, parse_host};
use super::values::{Text, WordOrTexts, Written};
use crate::protocol::ClientDocuments;

section! {
    /// How client id metadata documents, and what they refer to, are fetched.
    RawFetch {
        /// A PEM file with certificate authorities to trust besides those of the machine: for clients whose documents
        /// are on hosts with certificates of your own. (The environment variable `SSL_CERT_FILE` replaces those of the
        /// machine.)
        ca_file: Text = Value(r#""/etc/ssl/company-ca.pem""#),
    }
}

/// How the server fetches from strangers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchConfig {
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl RawFetch {
    pub(super) fn check(&self, check: &Check<'_>) -> FetchConfig {
        FetchConfig { ca_file: self.ca_file.as_ref().map(|written| check.path(&written.value)) }
    }
}

impl RawConfig {
    /// Whose client id metadata documents are taken.
    pub(super) fn client_documents(&self, check: &mut Check<'_>) -> ClientDocuments {
        let Some(Written { value: WordOrTexts(texts), place }) = &self.client_documents else {
            return ClientDocuments::default();
        };
        match texts.iter().map(|text| text.value.as_str()).collect::<Vec<_>>()[..] {
            ["any"] => return ClientDocuments::Any,
            ["off"] => return ClientDocuments::Off,
            [] => check.problems.missing(place, "names no host; \"off\" is for no documents"),
            _ => {}
        }
        let hosts = texts.iter().filter_map(|text| check.parsed(text, parse_document_host));
        ClientDocuments::Hosts(hosts.collect())
    }
}

/// A host that documents can be fetched from: without a dot there is only this machine.
fn parse_document_host(text: &str) -> Result<String, &'static str> {
    let host = parse_host(text).ok().filter(|host| {
        host == "localhost" || (!host.ends_with('.') && (host.contains('.') || host.starts_with('[')))
    });
    host.ok_or(
        "must be \"any\", \"off\" or a list of host names without port, such as [\"client.example.com\"]",
    )
}
