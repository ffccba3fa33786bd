//! Whole flows through loopback HTTP, as a browser and a client see them. What has to hold for requests that come at
//! once is asked of SQLite and of PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod assertions;
mod authorizing;
mod claims;
mod client_authentication;
mod code_flow;
mod configured;
mod connections;
mod consenting;
mod discovery;
mod documents;
mod forms;
mod hardening;
mod http2;
mod identity;
mod introspecting;
mod keys;
mod limits;
mod logging_in;
mod logging_out;
mod machines;
mod managing;
mod never;
mod openapi;
mod own_audience;
mod probing;
mod profiles;
mod prompts;
mod proxy;
mod races;
mod redeeming;
mod refreshing;
mod registering;
mod revoking;
mod scope_rules;
mod several_resources;
mod shapes;
mod surface;
mod suspending;
mod tenants;
mod wire;
mod world;
mod zoo;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use common::{Suite, cases};
use world::Database;

type Case = common::Case<Database>;

/// Run on SQLite.
const LISTS: &[(&str, &[Case])] = &[
    ("assertions", assertions::CASES),
    ("authorizing", authorizing::CASES),
    ("claims", claims::CASES),
    ("client_authentication", client_authentication::CASES),
    ("code_flow", code_flow::CASES),
    ("configured", configured::CASES),
    ("connections", connections::CASES),
    ("consenting", consenting::CASES),
    ("discovery", discovery::CASES),
    ("documents", documents::CASES),
    ("forms", forms::CASES),
    ("hardening", hardening::CASES),
    ("http2", http2::CASES),
    ("identity", identity::CASES),
    ("keys", keys::CASES),
    ("introspecting", introspecting::CASES),
    ("limits", limits::CASES),
    ("logging_in", logging_in::CASES),
    ("logging_out", logging_out::CASES),
    ("machines", machines::CASES),
    ("managing", managing::CASES),
    ("never", never::CASES),
    ("openapi", openapi::CASES),
    ("own_audience", own_audience::CASES),
    ("probing", probing::CASES),
    ("profiles", profiles::CASES),
    ("prompts", prompts::CASES),
    ("races", races::CASES),
    ("redeeming", redeeming::CASES),
    ("refreshing", refreshing::CASES),
    ("registering", registering::CASES),
    ("revoking", revoking::CASES),
    ("scope_rules", scope_rules::CASES),
    ("several_resources", several_resources::CASES),
    ("shapes", shapes::CASES),
    ("surface", surface::CASES),
    ("suspending", suspending::CASES),
    ("tenants", tenants::CASES),
    ("zoo", zoo::CASES),
];

/// Run on PostgreSQL too.
const ON_POSTGRES: &[(&str, &[Case])] = &[
    ("code_flow", code_flow::CASES),
    ("keys", keys::CASES),
    ("races", races::CASES),
    ("suspending", suspending::CASES),
];

fn main() -> ExitCode {
    let mut suite = Suite::default();
    suite.on_sqlite("", LISTS, || Database::Sqlite);
    suite.on_postgres(ON_POSTGRES, Database::Postgres);
    suite.run(&Arguments::from_args())
}
