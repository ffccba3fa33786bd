//! The authorization endpoint (RFC 6749 §3.1): one dispatcher, to which login and consent come back.

use serde::{Deserialize, Serialize};

use super::client::{Looking, Named};
use super::{Engine, Failure, LoggedIn};
use crate::protocol::ask::Agreement;
use crate::protocol::step::{Expected, Situation, Step};
use crate::protocol::{
    AuthorizationRequest, Client, Consent, DocumentUrl, ErrorCode, Interaction, InteractionId, Membership,
    OAuthError, Params, Received, Resource, ReturnAddress, Timestamp,
};

/// Where the browser is sent next.
#[derive(Debug)]
pub enum Destination {
    /// To log in. The request is handed back afterwards; nothing of it is stored for a stranger.
    Login(ParkedRequest),
    /// To the consent page of this interaction.
    Consent(InteractionId),
    /// To the client, with a code or an error: a URL.
    Client(String),
}

/// Why the browser is sent nowhere and gets a page.
#[derive(Debug)]
pub enum Unanswerable {
    /// The request names a client that is not known here.
    UnknownClient(String),
    /// The document by whose URL the client is named cannot be used; why, only the log says.
    ClientDocument(String),
    /// Its redirect URI is not registered.
    RedirectUri(String),
    /// Something else is wrong, and where to tell the client is not proven.
    Request(OAuthError),
    /// A request to log out cannot be followed.
    Logout(OAuthError),
    /// Nobody is logged in, no page may be shown, and the client is nobody we would redirect a stranger to.
    Stranger(OAuthError),
    /// What the browser brought back has expired, was used already, or belongs to another browser.
    Expired,
    /// We are at fault.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Unanswerable {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A request that waits while somebody logs in or decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParkedRequest {
    /// Its parameters, form-encoded.
    pub(super) params: String,
    /// When it first arrived, so that a login that it demands is demanded once.
    pub(super) began_at: Timestamp,
    /// The digest of the client's document about which a person was sent to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) document_digest: Option<String>,
}

/// A request with everything that the next step depends on.
pub(super) struct Considered {
    pub(super) request: AuthorizationRequest,
    pub(super) resources: Vec<Resource>,
    pub(super) expected: Expected,
    pub(super) began_at: Timestamp,
    pub(super) memberships: Vec<Membership>,
    pub(super) consents: Vec<Consent>,
}

impl Considered {
    pub(super) fn situation<'a>(&'a self, engine: &'a Engine, who: Option<&'a LoggedIn>) -> Situation<'a> {
        Situation {
            request: &self.request,
            resources: &self.resources,
            logged_in_at: who.map(|who| who.session.auth_time),
            person: who.map(|who| &who.user.id),
            expected: &self.expected,
            began_at: self.began_at,
            memberships: &self.memberships,
            consents: &self.consents,
            policy: &engine.policy,
        }
    }
}

/// What became of reading a request.
pub(super) enum Reading {
    /// It keeps every rule so far.
    Considered(Box<Considered>),
    /// The client is to be told what is wrong.
    Refused(Box<Refused>),
    /// The client is known by a document that has not been read yet, and may not be now.
    Unread(DocumentUrl),
}

/// What is wrong with a request, and whom to tell.
pub(super) struct Refused {
    pub(super) client: Client,
    pub(super) address: ReturnAddress,
    pub(super) error: OAuthError,
}

impl Engine {
    /// Answers an authorization request: `encoded` is its query or form.
    ///
    /// # Errors
    /// Whatever cannot be told to the client, and faults.
    pub async fn authorize(
        &self,
        encoded: &[u8],
        who: Option<&LoggedIn>,
    ) -> Result<Destination, Unanswerable> {
        let params = Params::parse(encoded).map_err(Unanswerable::Request)?;
        let began_at = self.clock.now();
        self.proceed(&ParkedRequest { params: params.encode(), began_at, document_digest: None }, who).await
    }

    /// Goes on with a request: at its arrival, and again after login.
    pub(super) async fn proceed(
        &self,
        parked: &ParkedRequest,
        who: Option<&LoggedIn>,
    ) -> Result<Destination, Unanswerable> {
        let looking = who.map_or(Looking::InStore, Looking::For);
        let considered = match self.consider(parked, who, looking).await? {
            Reading::Considered(considered) => considered,
            Reading::Unread(_) => return Ok(Destination::Login(parked.clone())),
            Reading::Refused(refused) => return self.turn_away(parked, who, &refused),
        };
        match considered.situation(self, who).next_step() {
            Step::Login => Ok(Destination::Login(parked.clone())),
            Step::Reject(error) if error.code() == ErrorCode::LoginRequired => {
                let request = &considered.request;
                if request.client.origin.is_vouched_for() || who.is_some() {
                    return Ok(Destination::Client(request.address.with_error(&error)));
                }
                Err(Unanswerable::Stranger(error))
            }
            Step::Reject(error) => Ok(Destination::Client(considered.request.address.with_error(&error))),
            Step::Consent(_) => self.park(parked, &considered.request.client, who).await,
            Step::Issue(agreement) => {
                self.issue(&considered, &agreement, who, None).await.map(Destination::Client)
            }
        }
    }

    /// Reads a request up to what the next step depends on.
    pub(super) async fn consider(
        &self,
        parked: &ParkedRequest,
        who: Option<&LoggedIn>,
        looking: Looking<'_>,
    ) -> Result<Reading, Unanswerable> {
        let params = Params::parse(parked.params.as_bytes()).map_err(Unanswerable::Request)?;
        let sent = params.optional("redirect_uri").ok().flatten().map(str::to_owned);
        let received = Received::parse(params).map_err(|error| self.unreadable(error, &parked.params))?;
        let client = match self.named_client(received.client_id(), looking).await? {
            Named::Known(client) => *client,
            Named::Unread(url) => return Ok(Reading::Unread(url)),
        };
        let addressed = received.address(client, &self.policy.issuer).map_err(|error| {
            tracing::info!(%error, detail = error.detail(), "authorization request without a proven address");
            match sent.filter(|_| error.parameter() == Some("redirect_uri")) {
                Some(sent) => Unanswerable::RedirectUri(sent),
                None => Unanswerable::Request(error),
            }
        })?;
        let refused = |error| {
            let (client, address) = (addressed.client().clone(), addressed.return_address().clone());
            Reading::Refused(Box::new(Refused { client, address, error }))
        };
        let request = match addressed.validate() {
            Ok(request) => request,
            Err(error) => return Ok(refused(error)),
        };
        let resources = match self.targets(&request).await? {
            Ok(resources) => resources,
            Err(error) => return Ok(refused(error)),
        };
        let (memberships, consents) = match who {
            Some(who) => (
                self.store.memberships(&who.user.id).await?,
                self.store.consents(&who.user.id, &request.client.id).await?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        let expected = self.expected(&request).await;
        let began_at = parked.began_at;
        let considered = Considered { request, resources, expected, began_at, memberships, consents };
        Ok(Reading::Considered(Box::new(considered)))
    }

    fn unreadable(&self, error: OAuthError, params: &str) -> Unanswerable {
        match error.code() {
            ErrorCode::InvalidClient => {
                let params = Params::parse(params.as_bytes()).unwrap_or_default();
                let named = params.many("client_id").first().map(|id| (*id).to_owned());
                Unanswerable::UnknownClient(named.unwrap_or_default())
            }
            _ => Unanswerable::Request(error),
        }
    }

    /// Tells the client what is wrong: at once when an operator vouches for it, else only once somebody has logged in.
    /// A stranger is redirected nowhere that anyone could have registered (RFC 9700 §4.11.2).
    fn turn_away(
        &self,
        parked: &ParkedRequest,
        who: Option<&LoggedIn>,
        refused: &Refused,
    ) -> Result<Destination, Unanswerable> {
        let Refused { client, address, error } = refused;
        tracing::info!(client = %client.id, error = %error, detail = error.detail(), "authorization request refused");
        if client.origin.is_vouched_for() || who.is_some() {
            return Ok(Destination::Client(address.with_error(error)));
        }
        Ok(Destination::Login(parked.clone()))
    }

    async fn park(
        &self,
        parked: &ParkedRequest,
        client: &Client,
        who: Option<&LoggedIn>,
    ) -> Result<Destination, Unanswerable> {
        let who = who.ok_or_else(|| Failure::impossible("a stranger is asked for consent"))?;
        let document_digest = client.document_digest().map(str::to_owned);
        let parked = ParkedRequest { document_digest, ..parked.clone() };
        let interaction = Interaction {
            id: self.fresh(InteractionId::new),
            session: who.session.id.clone(),
            request: parked.print()?,
            expires_at: self.clock.now().plus(self.policy.lifetimes.interaction),
        };
        let id = interaction.id.clone();
        self.store.park_interaction(interaction).await?;
        Ok(Destination::Consent(id))
    }

    /// Completes an authorization: a grant, its code, and the decision to remember, in one write.
    pub(super) async fn issue(
        &self,
        considered: &Considered,
        agreement: &Agreement,
        who: Option<&LoggedIn>,
        interaction: Option<InteractionId>,
    ) -> Result<String, Unanswerable> {
        let who = who.ok_or_else(|| Failure::impossible("a stranger is issued a code"))?;
        let (issue, code, audit) = self.completed(considered, agreement, who, interaction);
        match self.store.issue(issue, audit).await? {
            crate::store::Outcome::Won(()) => Ok(considered.request.address.with_code(&code.expose_token())),
            crate::store::Outcome::Lost => Err(Unanswerable::Expired),
        }
    }
}

impl ParkedRequest {
    pub(super) fn print(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::Fault(error.into()))
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
