//! Personas: documented kinds of broken and hostile authorization servers, for whoever writes an MCP client.

use serde::Serialize;

use super::answer::Refused;
use super::faults::FaultSpec;
use super::issuer::TestIssuer;

/// A kind of broken or hostile authorization server.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Persona {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What a client has to do about it.
    pub client_must: &'static str,
    /// The text that asks for it.
    pub section: &'static str,
    #[serde(skip)]
    faults: fn() -> Vec<FaultSpec>,
}

/// All personas.
pub const PERSONAS: &[Persona] = &[
    Persona {
        name: "missing-iss",
        does: "announces the iss parameter in its metadata and sends the browser back without it",
        client_must: "refuse the answer",
        section: "RFC 9207 §2.4",
        faults: missing_iss,
    },
    Persona {
        name: "slow",
        does: "takes three seconds for every answer",
        client_must: "wait, or give up in words",
        section: "RFC 9110 §9.2.2",
        faults: slow,
    },
];

fn for_good(endpoint: &str) -> FaultSpec {
    FaultSpec { endpoint: endpoint.to_owned(), times: None, ..FaultSpec::default() }
}

fn missing_iss() -> Vec<FaultSpec> {
    let without =
        |endpoint| FaultSpec { redirect_set: [("iss".to_owned(), None)].into(), ..for_good(endpoint) };
    // A person may come back to the client from the consent page or the login page too.
    ["authorize", "consent", "login"].map(without).into()
}

fn slow() -> Vec<FaultSpec> {
    vec![FaultSpec { delay_ms: 3000, ..for_good("*") }]
}

/// Whether there is a persona of this name.
pub(super) fn check(name: Option<&str>) -> Result<Option<&'static Persona>, Refused> {
    let find = |name: &str| {
        let found = PERSONAS.iter().find(|persona| persona.name == name);
        found.ok_or_else(|| Refused::not_found("persona", name))
    };
    name.map(find).transpose()
}

impl TestIssuer {
    /// Takes on a persona, or none, in place of the one before.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn put_on(&self, name: Option<&str>) -> Result<(), Refused> {
        let persona = check(name)?;
        self.faults.drop_persona();
        if let Some(persona) = persona {
            for fault in (persona.faults)() {
                self.faults.add(fault, Some(persona.name))?;
            }
        }
        self.held().persona = persona.map(|persona| persona.name.to_owned());
        Ok(())
    }
}
