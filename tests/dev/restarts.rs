//! What stays when `gatelet dev` is stopped and started again.

use crate::network::json;
use crate::program::{Dev, directory};
use crate::{NotRun, cases};

cases![a_restart_keeps_the_machine_secret_and_the_signing_key, data_directories_share_nothing];

fn identity(dev: &Dev) -> (String, String) {
    let keys = json(dev.port(), "/oauth/jwks");
    (dev.said("machine ").to_owned(), keys["keys"][0]["kid"].as_str().unwrap().to_owned())
}

fn a_restart_keeps_the_machine_secret_and_the_signing_key() -> Result<(), NotRun> {
    let here = directory("restart");
    let first = Dev::start(&here, "data");
    let before = identity(&first);
    first.stop();
    let second = Dev::start(&here, "data");
    assert_eq!(identity(&second), before);
    second.stop();
    Ok(())
}

fn data_directories_share_nothing() -> Result<(), NotRun> {
    let here = directory("apart");
    let (one, other) = (Dev::start(&here, "one"), Dev::start(&here, "other"));
    let ((one_secret, one_kid), (other_secret, other_kid)) = (identity(&one), identity(&other));
    assert_ne!(one_secret, other_secret);
    assert_ne!(one_kid, other_kid);
    one.stop();
    other.stop();
    Ok(())
}
