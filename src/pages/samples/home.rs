//! Samples of the home page of dev mode.

use super::super::{HomePage, MachineClientView, PersonView, well_known_clients};
use super::{ATTRIBUTE, OVERRIDE, SCRIPT, long};

const DEMO: &str = "http://localhost:8710/demo/mcp";

impl HomePage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        let signed_in = Self { signed_in_as: Some("Alice Ngata".to_owned()), ..plain() };
        let exposed = Self { exposed: true, mode_notice: Self::notice(true), ..plain() };
        vec![("plain", plain()), ("signed-in", signed_in), ("exposed", exposed), ("hostile", hostile())]
    }
}

fn plain() -> HomePage {
    HomePage {
        issuer: "http://localhost:8710/oauth".to_owned(),
        demo_url: DEMO.to_owned(),
        people: vec![
            person("alice", "Alice Ngata", &["Acme"], "may read and write"),
            person("bob", "Bob Okafor", &["Acme"], "may read"),
            person("carol", "Carol Lindqvist", &["Acme", "Globex"], "chooses a tenant"),
        ],
        machine: Some(MachineClientView {
            client_id: "demo-machine".to_owned(),
            client_secret: "dq8Zr2Yt5Lw9Xn3Kb7Vc1Hs4Gp6Jm0F".to_owned(),
            scopes: "notes:read notes:write".to_owned(),
        }),
        curl: format!(
            "curl -u demo-machine:dq8Zr2Yt5Lw9Xn3Kb7Vc1Hs4Gp6Jm0F \\\n  -d grant_type=client_credentials -d resource={DEMO} \\\n  http://localhost:8710/oauth/token"
        ),
        clients: well_known_clients("gatelet-demo", DEMO),
        signed_in_as: None,
        exposed: false,
        mode_notice: HomePage::notice(false),
    }
}

fn person(username: &str, display_name: &str, tenants: &[&str], description: &str) -> PersonView {
    PersonView {
        username: username.to_owned(),
        display_name: display_name.to_owned(),
        password: format!("{username}-password"),
        tenants: tenants.iter().map(|&tenant| tenant.to_owned()).collect(),
        description: description.to_owned(),
    }
}

fn hostile() -> HomePage {
    HomePage {
        people: vec![
            person(SCRIPT, ATTRIBUTE, &[OVERRIDE, SCRIPT], SCRIPT),
            person(&long(), &long(), &[&long()], &long()),
        ],
        curl: format!("{SCRIPT}{}", long()),
        clients: well_known_clients(SCRIPT, &format!("{ATTRIBUTE}{}", long())),
        signed_in_as: Some(SCRIPT.to_owned()),
        ..plain()
    }
}
