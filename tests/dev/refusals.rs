//! What keeps the server from starting: one clear line each.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;

use crate::program::{Dev, directory, refusal};
use crate::serve::Serve;
use crate::{NotRun, cases};

cases![
    a_taken_port_is_named,
    a_port_taken_on_the_other_loopback_address_is_named,
    a_data_directory_that_cannot_be_made_is_named,
    a_database_of_another_mode_is_not_opened,
    a_database_that_is_none_is_not_opened,
    other_machines_are_not_let_in_unasked,
    a_bad_issuer_is_named,
    serve_names_a_taken_port_and_no_option_that_it_lacks,
    another_key_encryption_key_is_not_used,
    a_damaged_key_encryption_key_is_not_used,
    a_missing_key_encryption_key_is_not_replaced,
];

fn dev(here: &Path, data: &str) -> String {
    refusal(here, &["dev", "--listen", "127.0.0.1:0", "--data", data])
}

fn a_taken_port_is_named() -> Result<(), NotRun> {
    let here = directory("port");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let said = refusal(&here, &["dev", "--listen", &address.to_string(), "--data", "data"]);
    assert!(said.contains(&format!("port {} on 127.0.0.1 is already in use", address.port())), "{said}");
    assert!(said.contains("--listen"), "{said}");
    assert!(!here.join("data").exists(), "the other server's data is not touched");
    Ok(())
}

fn a_port_taken_on_the_other_loopback_address_is_named() -> Result<(), NotRun> {
    let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return Err(NotRun("not run, needs IPv6 on loopback"));
    };
    let port = other.local_addr().unwrap().port();
    let said =
        refusal(&directory("port6"), &["dev", "--listen", &format!("127.0.0.1:{port}"), "--data", "data"]);
    assert!(said.contains(&format!("port {port} on [::1] is already in use")), "{said}");
    Ok(())
}

fn a_data_directory_that_cannot_be_made_is_named() -> Result<(), NotRun> {
    // Permissions would not stop root; a file in the way stops everybody.
    let here = directory("unwritable");
    std::fs::write(here.join("file"), "").unwrap();
    let said = dev(&here, "file/data");
    assert!(said.contains("file/data") && said.contains("Not a directory"), "{said}");
    Ok(())
}

fn a_database_of_another_mode_is_not_opened() -> Result<(), NotRun> {
    let here = directory("mode");
    Serve::start(&here).stop();
    let before = std::fs::read(here.join("gatelet.db")).unwrap();
    let said = dev(&here, ".");
    assert!(said.contains("the database belongs to serve mode, not to dev mode"), "{said}");
    assert_eq!(std::fs::read(here.join("gatelet.db")).unwrap(), before, "it is left as it was");
    Ok(())
}

fn a_database_that_is_none_is_not_opened() -> Result<(), NotRun> {
    let here = directory("nonsense");
    std::fs::write(here.join("gatelet.db"), "this is no database at all\n".repeat(100)).unwrap();
    let said = dev(&here, ".");
    assert!(said.contains("not a database"), "{said}");
    Ok(())
}

fn other_machines_are_not_let_in_unasked() -> Result<(), NotRun> {
    let said = refusal(&directory("exposed"), &["dev", "--listen", "0.0.0.0:0", "--data", "data"]);
    assert!(said.contains("0.0.0.0:0 can be reached from other machines"), "{said}");
    assert!(said.contains("--expose"), "{said}");
    Ok(())
}

fn a_bad_issuer_is_named() -> Result<(), NotRun> {
    for (given, expected) in [
        (
            "http://localhost:1/oauth?x",
            "must have no user name, no query and no fragment; write http://localhost:1/oauth",
        ),
        (
            "http://LOCALHOST:1/oauth",
            "is compared byte for byte, and many programs would rewrite it; write http://localhost:1/oauth",
        ),
        (
            "http://localhost:80/oauth",
            "is compared byte for byte, and many programs would rewrite it; write http://localhost/oauth",
        ),
        (
            "http://localhost:1/demo",
            "/demo is the address of a page of this server; write http://localhost:1/oauth, or another path",
        ),
        ("localhost/oauth", "must be an absolute URL, such as https://id.example.com"),
    ] {
        let arguments = ["dev", "--listen", "127.0.0.1:0", "--data", "data", "--issuer", given];
        assert_eq!(
            refusal(&directory("issuer"), &arguments),
            format!("error: --issuer {given}: {expected}\n")
        );
    }
    let arguments =
        ["dev", "--listen", "127.0.0.1:0", "--data", "data", "--issuer", "http://192.168.1.5:8710/oauth"];
    let said = refusal(&directory("issuer"), &arguments);
    assert!(said.contains("plain http is for localhost") && said.contains("tunnel"), "{said}");
    Ok(())
}

fn serve_names_a_taken_port_and_no_option_that_it_lacks() -> Result<(), NotRun> {
    let here = directory("serve-port");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let configuration = format!("public_url = \"https://id.example\"\nlisten = [\"{address}\"]\n");
    std::fs::write(here.join("gatelet.toml"), configuration).unwrap();
    let said = refusal(&here, &["serve"]);
    assert!(said.contains(&format!("port {} on 127.0.0.1 is already in use", address.port())), "{said}");
    assert!(!said.contains("--listen"), "{said}");
    Ok(())
}

fn another_key_encryption_key_is_not_used() -> Result<(), NotRun> {
    let here = directory("other-key");
    Dev::start(&here, "mine").stop();
    Dev::start(&here, "yours").stop();
    let (mine, yours) = (key(&here, "mine"), key(&here, "yours"));
    std::fs::copy(&yours, &mine).unwrap();
    let said = dev(&here, "mine");
    assert!(said.contains("sealed under another key-encryption key than the one at hand"), "{said}");
    assert_eq!(std::fs::read(mine).unwrap(), std::fs::read(yours).unwrap(), "it is left as it was");
    Ok(())
}

fn a_damaged_key_encryption_key_is_not_used() -> Result<(), NotRun> {
    let here = directory("damaged-key");
    Dev::start(&here, "data").stop();
    std::fs::write(key(&here, "data"), "damaged\n").unwrap();
    let said = dev(&here, "data");
    assert!(said.contains("key-encryption key is 32 random bytes in base64"), "{said}");
    assert_eq!(std::fs::read_to_string(key(&here, "data")).unwrap(), "damaged\n");
    Ok(())
}

fn a_missing_key_encryption_key_is_not_replaced() -> Result<(), NotRun> {
    let here = directory("missing-key");
    Dev::start(&here, "data").stop();
    std::fs::remove_file(key(&here, "data")).unwrap();
    let said = dev(&here, "data");
    assert!(said.contains("data/keys/key-encryption-key is missing"), "{said}");
    assert!(!key(&here, "data").exists(), "its place is free");
    Ok(())
}

fn key(here: &Path, data: &str) -> std::path::PathBuf {
    here.join(data).join("keys/key-encryption-key")
}
