//! Standing in for people and clients where there is nobody to ask: in a database of test mode alone.

use super::{Admin, AdminError, Named};
use crate::flow::authorize::ParkedRequest;
use crate::flow::mint::Bearer;
use crate::flow::{ConsentStep, Destination, Engine, LoggedIn, Unanswerable};
use crate::protocol::ask::{Ask, Tick};
use crate::protocol::{ClientId, Params, ResourceUri, Scope, SigningAlg, TenantId, Timestamp};
use crate::store::Mode;
use crate::tokens::SigningKey;

/// How a person answers an authorization request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who answers, by login name or identifier.
    pub user: String,
    /// Whether they allow it.
    pub allows: bool,
    /// What they leave ticked; everything when absent.
    pub scope: Option<Scope>,
    /// In which tenant; the one that the page proposes when absent.
    pub tenant: Option<TenantId>,
}

impl Admin {
    /// Logs a person in, answers the authorization request in their place (`encoded` is its query), logs them out, and
    /// gives the URL to which their browser would have been sent: the client's, with a code or an error. The way is that
    /// of the pages, without the pages.
    ///
    /// # Errors
    /// [`AdminError::Refused`] when a page would say what is wrong, or this is no test.
    pub async fn answer_authorization(&self, encoded: &[u8], answer: &Answer) -> Result<String, AdminError> {
        self.only_in_tests()?;
        let engine = &self.engine;
        let id = self.user_id(&answer.user).await?;
        let suspended = || AdminError::Refused(format!("the user {:?} is suspended", answer.user));
        let account = engine.store.account(&id).await?.ok_or_else(suspended)?;
        let session = engine.start_session(&id).await.map_err(AdminError::Failed)?;
        let (_, session) = session.ok_or_else(suspended)?;
        let who = LoggedIn { session, user: account.user };
        let url = answered(engine, encoded, answer, &who).await;
        engine.log_out(&who).await.map_err(AdminError::Failed)?;
        url
    }

    /// A token that a client has got for itself, without its proof.
    ///
    /// # Errors
    /// There is no such client, or it may not have this; [`AdminError::Refused`] where this is no test.
    pub async fn issue_machine_token(
        &self,
        client: &ClientId,
        resource: Option<&ResourceUri>,
        scope: Option<&Scope>,
    ) -> Result<String, AdminError> {
        self.only_in_tests()?;
        let engine = &self.engine;
        let named = Named { what: "client", id: client.as_str() };
        let client = engine.store.client(client).await?.ok_or_else(|| named.not_found())?;
        let refused =
            |error: &crate::protocol::OAuthError| AdminError::Refused(error.description().to_owned());
        let resource = engine.target(&client, resource).await.map_err(AdminError::Failed)?;
        let resource = resource.map_err(|error| refused(&error))?;
        let scope = client.machine_scope(&resource, scope).map_err(|error| refused(&error))?;
        let now = engine.clock.now();
        let minted = engine.mint(Bearer::Machine(&client), &resource, &scope, now).await;
        Ok(minted.map_err(AdminError::Failed)?.access_token)
    }

    /// A key that signs at present, to sign other tokens with: the one of this name, or the one for RS256.
    ///
    /// # Errors
    /// [`AdminError::Refused`] where this is no test.
    pub async fn lend_signing_key(
        &self,
        kid: Option<&str>,
    ) -> Result<std::sync::Arc<SigningKey>, AdminError> {
        self.only_in_tests()?;
        let ring = self.engine.keys_to_sign().await.map_err(AdminError::Failed)?;
        let mut signers = SigningAlg::ALL.into_iter().filter_map(|alg| ring.signer(alg));
        let rs256 = ring.signer(SigningAlg::Rs256);
        let named = kid.map(|kid| signers.find(|key| key.kid() == kid)).unwrap_or_default();
        let key = named.or(rs256).cloned();
        key.ok_or_else(|| AdminError::Refused("no key signs".to_owned()))
    }

    /// The present of this server.
    pub fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    fn only_in_tests(&self) -> Result<(), AdminError> {
        match self.mode() {
            Mode::Test => Ok(()),
            mode => Err(AdminError::Refused(format!(
                "nobody is stood in for but in test mode; this database is of {mode} mode"
            ))),
        }
    }
}

async fn answered(
    engine: &Engine,
    encoded: &[u8],
    answer: &Answer,
    who: &LoggedIn,
) -> Result<String, AdminError> {
    let params = Params::parse(encoded).map_err(|error| AdminError::Invalid(error.to_string()))?;
    // As if the request had come before the login, which is therefore the one that it may demand.
    let parked = ParkedRequest {
        params: params.encode(),
        began_at: engine.clock.now(),
        session: None,
        document_digest: None,
    };
    let interaction = match engine.proceed(&parked, Some(who)).await.map_err(unanswerable)? {
        Destination::Client(url) => return Ok(url),
        Destination::Consent(interaction) => interaction.to_string(),
        Destination::Login(_) => return Err(login_again()),
    };
    let ask = match engine.consent_page(&interaction, who).await.map_err(unanswerable)? {
        ConsentStep::Ask(view) => view.ask,
        ConsentStep::Client(url) => return Ok(url),
        ConsentStep::Login(_) => return Err(login_again()),
    };
    if !answer.allows {
        return engine.deny(&interaction, who).await.map_err(unanswerable);
    }
    let ticks = ticks(&ask, answer.scope.as_ref());
    match engine.allow(&interaction, who, &ticks, answer.tenant.as_ref()).await.map_err(unanswerable)? {
        Destination::Client(url) => Ok(url),
        Destination::Login(_) | Destination::Consent(_) => Err(login_again()),
    }
}

fn ticks(ask: &Ask, scope: Option<&Scope>) -> Vec<Tick> {
    let kept = |tick: &Tick| match (&tick.scope, scope) {
        (Some(token), Some(scope)) => scope.contains(token),
        (None, _) | (_, None) => true,
    };
    ask.ticks().into_iter().filter(kept).collect()
}

fn login_again() -> AdminError {
    AdminError::Refused("the request demands yet another login".to_owned())
}

/// What the page would say.
fn unanswerable(why: Unanswerable) -> AdminError {
    AdminError::Refused(match why {
        Unanswerable::Failed(failure) => return AdminError::Failed(failure),
        Unanswerable::UnknownClient(id) => format!("the client {id:?} is not known"),
        Unanswerable::ClientDocument(url) => format!("the client id document {url:?} cannot be used"),
        Unanswerable::RedirectUri(uri) => format!("the redirect URI {uri:?} is not registered"),
        Unanswerable::Request(error) | Unanswerable::Logout(error) | Unanswerable::Stranger(error) => {
            error.description().to_owned()
        }
        Unanswerable::Expired => "the request has changed or was answered meanwhile".to_owned(),
    })
}
