//! The control plane of the issuer whose tokens are sent.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::http;
use super::report::quoted;
use super::{ProbeError, Wanted};

/// An issuer of `gatelet test`, by its control plane.
#[derive(Clone, Debug)]
pub struct Issuer {
    http: reqwest::Client,
    control_url: String,
    control_key: String,
    /// The issuer's identifier.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
}

/// What the control plane says of an issuer.
#[derive(Deserialize)]
struct Described {
    issuer: String,
    jwks_uri: String,
    control_url: String,
    #[serde(default)]
    resources: Vec<Known>,
}

/// An MCP server that an issuer knows.
#[derive(Deserialize)]
struct Known {
    uri: String,
}

/// A specimen of the zoo as the control plane hands it out.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sample {
    /// Its name.
    pub(super) name: String,
    /// The token.
    pub(super) token: String,
    /// Whether it is to be accepted.
    pub(super) valid: bool,
    /// The status of the answer.
    pub(super) status: u16,
    /// The error code of the challenge.
    pub(super) error: Option<String>,
    /// The text that asks for it.
    pub(super) section: String,
    /// What is wrong with it.
    pub(super) why: String,
    /// What to do about a server that gets it wrong.
    #[serde(default)]
    pub(super) remedy: String,
    /// What only the operator knows.
    #[serde(default)]
    pub(super) depends_on: Option<String>,
}

#[cfg(test)]
impl Sample {
    /// One of this name, with this status.
    pub(super) fn for_tests(name: &str, status: u16, depends_on: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            token: "t".to_owned(),
            valid: status == 200,
            status,
            error: None,
            section: "RFC 9068 §4".to_owned(),
            why: "Why.".to_owned(),
            remedy: String::new(),
            depends_on: depends_on.map(str::to_owned),
        }
    }
}

impl Issuer {
    /// Finds the issuer called `name` at the control plane `control_url`.
    ///
    /// # Errors
    /// It does not answer, refuses the key, or has no such issuer.
    pub async fn find(control_url: &str, control_key: &str, name: &str) -> Result<Self, ProbeError> {
        let url = format!("{}/issuers/{name}", control_url.trim_end_matches('/'));
        let mut issuer = Self {
            http: http::client(http::TIMEOUT).map_err(ProbeError::Http)?,
            control_url: url,
            control_key: control_key.to_owned(),
            issuer: String::new(),
            jwks_uri: String::new(),
        };
        let described: Described = issuer.read(issuer.http.get(&issuer.control_url), "GET /issuers").await?;
        issuer.control_url = described.control_url;
        issuer.issuer = described.issuer;
        issuer.jwks_uri = described.jwks_uri;
        Ok(issuer)
    }

    /// One that nobody asks.
    #[cfg(test)]
    pub(super) fn for_tests(issuer: &str) -> Self {
        let jwks_uri = format!("{issuer}/jwks");
        let (http, nowhere) = (http::client(http::TIMEOUT).unwrap(), String::new());
        Self { http, control_url: nowhere.clone(), control_key: nowhere, issuer: issuer.to_owned(), jwks_uri }
    }

    /// A good token.
    pub(super) async fn token(&self, wanted: &Wanted) -> Result<String, ProbeError> {
        self.minted(wanted.body()).await
    }

    /// A good token with just this scope, or without any, whatever the issuer would give.
    pub(super) async fn token_of_scope(
        &self,
        wanted: &Wanted,
        scope: Option<&str>,
    ) -> Result<String, ProbeError> {
        let mut body = wanted.body();
        body.insert("claims".to_owned(), json!({ "scope": scope }));
        self.minted(body).await
    }

    /// A specimen of the zoo whose header has these members too, and whose claims have those.
    pub(super) async fn specimen(
        &self,
        wanted: &Wanted,
        name: &str,
        header: Value,
        claims: Value,
    ) -> Result<String, ProbeError> {
        let mut body = wanted.body();
        body.insert("defect".to_owned(), name.into());
        body.insert("header".to_owned(), header);
        body.insert("claims".to_owned(), claims);
        self.minted(body).await
    }

    async fn minted(&self, body: Map<String, Value>) -> Result<String, ProbeError> {
        #[derive(Deserialize)]
        struct Minted {
            token: String,
        }
        Ok(self.post::<Minted>("tokens", &Value::Object(body)).await?.token)
    }

    /// The whole zoo.
    pub(super) async fn zoo(&self, wanted: &Wanted) -> Result<Vec<Sample>, ProbeError> {
        #[derive(Deserialize)]
        struct Zoo {
            specimens: Vec<Sample>,
        }
        Ok(self.post::<Zoo>("zoo", &Value::Object(wanted.body())).await?.specimens)
    }

    /// Makes the MCP server known as a resource, if it is not.
    pub(super) async fn add_resource(&self, wanted: &Wanted) -> Result<(), ProbeError> {
        let described: Described = self.read(self.http.get(&self.control_url), "GET /issuers").await?;
        if described.resources.iter().any(|known| known.uri == wanted.resource) {
            return Ok(());
        }
        let scopes: Vec<Value> = wanted
            .scope
            .iter()
            .flat_map(|scope| scope.split(' '))
            .map(|name| json!({ "name": name }))
            .collect();
        let body = json!({ "uri": wanted.resource, "scopes": scopes });
        self.post::<Value>("resources", &body).await.map(drop)
    }

    /// Exchanges the signing key: `rotate` or `revoke`.
    pub(super) async fn keys(&self, action: &str) -> Result<(), ProbeError> {
        self.post::<Value>("keys", &json!({ "action": action })).await.map(drop)
    }

    /// Keeps the present state of the issuer, under the name that is returned.
    pub(super) async fn snapshot(&self) -> Result<String, ProbeError> {
        #[derive(Deserialize)]
        struct Snapshot {
            name: String,
        }
        Ok(self.post::<Snapshot>("snapshots", &json!({})).await?.name)
    }

    /// Goes back to a state that was kept, in all but the time.
    pub(super) async fn restore(&self, snapshot: &str) -> Result<(), ProbeError> {
        let clock = format!("{}/clock", self.control_url);
        let time: Value = self.read(self.http.get(&clock), "clock").await?;
        let path = format!("snapshots/{snapshot}/restore");
        self.send(self.http.post(format!("{}/{path}", self.control_url)), &path).await?;
        self.send(self.http.put(&clock).json(&time), "clock").await.map(drop)
    }

    /// The number of the last request that came to an endpoint; 0 before the first. Only the newest are kept, so their
    /// count says nothing.
    pub(super) async fn last_request(&self, endpoint: &str) -> Result<u64, ProbeError> {
        #[derive(Deserialize)]
        struct Request {
            n: u64,
        }
        #[derive(Deserialize)]
        struct Requests {
            requests: Vec<Request>,
        }
        let request = self.http.get(format!("{}/requests?endpoint={endpoint}", self.control_url));
        let requests = self.read::<Requests>(request, "GET requests").await?.requests;
        Ok(requests.iter().map(|request| request.n).max().unwrap_or_default())
    }

    async fn post<T: for<'de> Deserialize<'de>>(&self, path: &str, body: &Value) -> Result<T, ProbeError> {
        self.read(self.http.post(format!("{}/{path}", self.control_url)).json(body), path).await
    }

    async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        request: reqwest::RequestBuilder,
        what: &str,
    ) -> Result<T, ProbeError> {
        let body = self.send(request, what).await?;
        serde_json::from_slice(&body).map_err(|error| ProbeError::Control(format!("{what}: {error}")))
    }

    async fn send(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Vec<u8>, ProbeError> {
        let response = request
            .bearer_auth(&self.control_key)
            .send()
            .await
            .map_err(|error| ProbeError::Control(http::told(&error)))?;
        let status = response.status();
        let body = http::body(response, |_| false).await;
        match status.is_success() {
            true => Ok(body),
            false => {
                let text = quoted(&String::from_utf8_lossy(&body));
                Err(ProbeError::Control(format!("{what}: {status}: {text}")))
            }
        }
    }
}
