//! `gatelet key`: the keys that sign tokens, and the one under which they are sealed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{Common, EXIT_CODES, refuse, run, run_or_begin, run_quietly};
use super::output::{Cell, Output, Shape, detail, listed, print};
use super::parse;
use crate::app::admin::{
    Admin, AdminError, KeyRevoked, KnownKey, PublicForm, Takeover, check_key, key_encryption_key,
};
use crate::protocol::SigningAlg;

/// Arguments of `gatelet key`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct KeyArgs {
    /// Whose database, and how to print.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What to do with keys. Running servers see it within a second.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// List signing keys, oldest first.
    List,
    /// Make a key and publish it as the next; it takes over when the one that signs is due.
    Generate(AlgArgs),
    /// Have the next key take over as soon as it has been published for `lifetimes.key_lead`; one is made if none waits.
    Rotate(AlgArgs),
    /// Bring in a private key: PEM, unencrypted, RSA of 2048 bits or more (PKCS#8 or PKCS#1) or P-256 (PKCS#8 or SEC 1).
    /// Before the first start of a server it makes the database, and the server signs with it from the beginning.
    Import(ImportArgs),
    /// Print the public part of a key.
    Export {
        /// Which; default: the one that signs with RS256.
        #[arg(allow_hyphen_values = true)]
        kid: Option<String>,
        /// As a JWK, not as PEM.
        #[arg(long)]
        jwk: bool,
    },
    /// Revoke a key that others may know: it is published no longer, what it signed is invalid at introspection, and
    /// another signs at once.
    Revoke {
        /// Which. One name in sixty-four begins with `-`, as base64url does.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Seal everything in the database anew, under another key-encryption key. Afterwards configure that one and restart
    /// every instance.
    Rewrap {
        /// The file of the new key; it is made if it is not there.
        #[arg(long, value_name = "PATH")]
        new_key_file: PathBuf,
    },
}

/// Which kind of key.
#[derive(Args, Clone, Copy, Debug)]
pub struct AlgArgs {
    /// What it signs with.
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = parse::signing_alg())]
    pub alg: SigningAlg,
}

/// Arguments of `gatelet key import`.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// The PEM file.
    pub file: PathBuf,
    /// Its name in tokens and in the JWKS [default: its thumbprint, as of RFC 7638].
    #[arg(long)]
    pub kid: Option<String>,
    /// Let it sign at once, though nobody knows it yet: resource servers that keep the keys refuse its tokens until they
    /// look again.
    #[arg(long)]
    pub activate: bool,
}

/// What is printed of a key.
pub(super) const KEY: Shape<7> = Shape {
    many: "keys",
    fields: [
        listed("kid", "Its name in tokens and in the JWKS."),
        listed("alg", "What it signs with, `RS256` or `ES256`."),
        listed("state", "`next` (published), `active` (signs), `retired` (still published) or `revoked`."),
        detail("published_at", "Since when it is published."),
        listed("signs_from", "Since when it signs or did, or from when it is going to; or null."),
        listed("retired_at", "When it ceased to sign or was revoked, or null."),
        detail("deleted_at", "When it is deleted, or null."),
    ],
};

fn cells(key: &KnownKey) -> [Cell; 7] {
    [
        Cell::text(&key.kid),
        Cell::text(key.alg.as_str()),
        Cell::text(key.state),
        Cell::time(Some(key.published_at)),
        Cell::time(key.signs_from),
        Cell::time(key.retired_at),
        Cell::time(key.deleted_at),
    ]
}

/// Runs `gatelet key`.
pub fn run_key(args: &KeyArgs) -> ExitCode {
    if let KeyCommand::Export { kid, jwk } = &args.command {
        // The text alone, for a file or another program.
        let form = if *jwk { PublicForm::Jwk } else { PublicForm::Pem };
        return run_quietly(&args.common, async |admin| {
            let text = admin.export_key(kid.as_deref(), form).await?;
            print(&format!("{}\n", text.trim_end()))
                .map_err(|error| AdminError::Refused(format!("standard output: {error}")))
        });
    }
    if let KeyCommand::Import(import) = &args.command {
        // Nothing is made for the sake of a key that is none.
        let pem = match read(import) {
            Ok(pem) => pem,
            Err(error) => return refuse(&error),
        };
        return run_or_begin(&args.common, async |admin| {
            let takeover = if import.activate { Takeover::AtOnce } else { Takeover::InTurn };
            let key = admin.import_key(&pem, import.kid.as_deref(), takeover).await?;
            Ok(Output::one(&KEY, cells(&key)))
        });
    }
    run(&args.common, async |admin| done(admin, &args.command).await)
}

async fn done(admin: &Admin, command: &KeyCommand) -> Result<Output, AdminError> {
    let key = match command {
        KeyCommand::List | KeyCommand::Export { .. } | KeyCommand::Import(_) => {
            return Ok(Output::many(&KEY, admin.keys().await?.iter().map(cells), None));
        }
        KeyCommand::Generate(AlgArgs { alg }) => admin.generate_key(*alg).await?,
        KeyCommand::Rotate(AlgArgs { alg }) => admin.rotate_key(*alg).await?,
        KeyCommand::Revoke { kid } => return Ok(revoked(kid, &admin.revoke_key(kid).await?)),
        KeyCommand::Rewrap { new_key_file } => return rewrap(admin, new_key_file).await,
    };
    Ok(Output::one(&KEY, cells(&key)))
}

/// Longest file that is read as a key.
const LONGEST_PEM: u64 = 64 * 1024;

/// The PEM that is to be brought in.
fn read(args: &ImportArgs) -> Result<String, AdminError> {
    use std::io::Read as _;
    let file = std::fs::File::open(&args.file);
    let mut pem = String::new();
    file.and_then(|file| file.take(LONGEST_PEM).read_to_string(&mut pem))
        .map_err(|error| AdminError::Invalid(format!("{}: {error}", args.file.display())))?;
    check_key(&pem, args.kid.as_deref())?;
    Ok(pem)
}

fn revoked(kid: &str, outcome: &KeyRevoked) -> Output {
    let (sentence, successor) = match outcome {
        KeyRevoked::NotSigning => (
            "It did not sign; nothing else changes. Resource servers that check tokens by themselves take what it signed \
             until they fetch the keys again"
                .to_owned(),
            Value::Null,
        ),
        KeyRevoked::NextTookOver { kid, .. } => (
            format!(
                "The key {kid}, which waited, signs from now on: resource servers that fetched the keys since it was \
                 published know it. Until they fetch them again they take what the revoked key signed"
            ),
            json!(kid),
        ),
        KeyRevoked::FreshTookOver { kid } => (
            format!(
                "The fresh key {kid} signs from now on, which no resource server knows yet: until they fetch the keys \
                 again they refuse its tokens, and take what the revoked key signed. Restart those that do not look by \
                 themselves"
            ),
            json!(kid),
        ),
    };
    Output::done(
        format!("revoked signing key {kid}. {sentence}"),
        json!({ "revoked": kid, "signs_now": successor }),
    )
}

async fn rewrap(admin: &Admin, file: &Path) -> Result<Output, AdminError> {
    let key = key_encryption_key(file).map_err(|error| AdminError::Invalid(error.to_string()))?;
    let rows = admin.rewrap(&key).await?;
    let (name, path) = (key.fingerprint(), file.display().to_string());
    Ok(Output::done(
        format!(
            "sealed {rows} rows anew under the key {name} in {path}. Configure it (key_file, or in place of \
             keys/key-encryption-key) and restart every instance: \
             those that run go on with the keys that they have open, but rotate none. Keep the old key as long as \
             backups that are sealed under it"
        ),
        json!({ "rewrapped": rows, "key_encryption_key": name, "file": path }),
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::KeyCommand;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_key_whose_name_begins_with_a_hyphen_is_named_as_it_is() {
        // RFC 7638 §3: a thumbprint in base64url may begin with any of its letters.
        let name = "-hV0aM6mGk8vJ2c1dTqkXw3n5s7y9z-_ABCDEFGHIJK";
        for verb in ["revoke", "export"] {
            for line in [&["gatelet", "key", verb, name][..], &["gatelet", "key", verb, name, "--dev"]] {
                let Command::Key(args) = Cli::try_parse_from(line).unwrap().command else {
                    panic!("{line:?}")
                };
                let (KeyCommand::Revoke { kid } | KeyCommand::Export { kid: Some(kid), .. }) = args.command
                else {
                    panic!("{line:?}");
                };
                assert_eq!(kid, name);
            }
        }
    }
}
