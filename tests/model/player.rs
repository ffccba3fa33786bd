//! Asks the real server what a history says, and reads the answers in the words of the model.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::store::{Store, SweepPolicy};
use gatelet::testkit::{Browser, Callback, JsonAnswer, Landing, TokenResponse};

use crate::model::{Answer, Ask, Asker, By, Party, Request, Token};
use crate::stage::{NOTES, OTHER, Seat, Stage};

/// A suspended person tries no more passwords than this in one history: the name would rest.
const WRONG_LOGINS: u32 = 3;

/// One history being played.
pub(crate) struct Player<'a> {
    stage: &'a Stage,
    pub(crate) seat: Seat,
    callbacks: Vec<Callback>,
    /// User and client of each grant, and the newest of its refresh tokens.
    pub(crate) grants: Vec<(usize, usize, Option<u32>)>,
    refresh: BTreeMap<(usize, u32), String>,
    known: HashMap<String, (usize, u32)>,
    access: BTreeMap<usize, String>,
    wrong_logins: [u32; 3],
}

/// An answer as it came.
pub(crate) enum Raw {
    Issue(Box<Browser>, Issued),
    Token(Box<TokenResponse>),
    Introspection(Box<JsonAnswer>),
    Revocation(Box<JsonAnswer>),
    Verb(bool),
}

/// What became of an authorization request.
pub(crate) enum Issued {
    Code(Box<Callback>),
    Refused(u16, String),
    WrongLogin,
}

impl<'a> Player<'a> {
    pub(crate) fn new(stage: &'a Stage, seat: Seat) -> Self {
        Self {
            stage,
            seat,
            callbacks: Vec::new(),
            grants: Vec::new(),
            refresh: BTreeMap::new(),
            known: HashMap::new(),
            access: BTreeMap::new(),
            wrong_logins: [0; 3],
        }
    }

    /// Sends a request. Nothing is learnt from the answer before [`Player::read`], so that two can be on their way.
    pub(crate) async fn send(&self, request: &Request) -> Raw {
        match *request {
            Request::Issue { user, client } => self.issue(user, client).await,
            Request::Redeem { grant, by, verifier, redirect, elsewhere } => {
                let callback = &self.callbacks[grant];
                let redirect =
                    if redirect { callback.redirect_uri.as_str() } else { "https://web.example/no" };
                let verifier = if verifier { callback.verifier.clone() } else { "v".repeat(43) };
                let mut pairs = vec![("grant_type", "authorization_code"), ("code", callback.code())];
                pairs.extend([("redirect_uri", redirect), ("code_verifier", &verifier)]);
                pairs.extend(elsewhere.then_some(("resource", OTHER)));
                self.token(by, &pairs).await
            }
            Request::Refresh { grant, generation, by, scope, elsewhere } => {
                let token = self.refresh[&(grant, generation)].as_str();
                let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
                pairs.extend(elsewhere.then_some(("resource", OTHER)));
                match scope {
                    Ask::Nothing => {}
                    Ask::Less => pairs.push(("scope", "read")),
                    Ask::More => pairs.push(("scope", "read admin")),
                }
                self.token(by, &pairs).await
            }
            Request::Introspect(token, asker) => {
                let pairs = [("token", self.text(token))];
                let answer = self.stage.post(&self.seat, asker, "introspect", &pairs).await;
                Raw::Introspection(Box::new(answer))
            }
            Request::Revoke(token, by) => {
                let pairs = [("token", self.text(token))];
                let answer = self.stage.post(&self.seat, Asker::Client(by), "revoke", &pairs).await;
                Raw::Revocation(Box::new(answer))
            }
            Request::Suspend(party) => Raw::Verb(self.suspend(party).await),
            Request::Resume(party) => Raw::Verb(self.resume(party).await),
            Request::RotateKey => Raw::Verb(self.stage.rotate_key().await),
            Request::RevokeKey => Raw::Verb(self.stage.revoke_key().await),
            Request::Sweep => {
                self.sweep().await;
                Raw::Verb(true)
            }
        }
    }

    fn text(&self, token: Token) -> &str {
        match token {
            Token::Access(number) => &self.access[&number],
            Token::Refresh(grant, generation) => &self.refresh[&(grant, generation)],
        }
    }

    /// The access tokens that were handed out, by the numbers of the requests that they answered.
    pub(crate) fn access_tokens(&self) -> Vec<usize> {
        self.access.keys().copied().collect()
    }

    async fn token(&self, by: By, pairs: &[(&str, &str)]) -> Raw {
        Raw::Token(Box::new(TokenResponse(
            self.stage.post(&self.seat, Asker::Client(by), "token", pairs).await,
        )))
    }

    /// Goes through authorization as a person would: logs in and allows when that is asked for.
    async fn issue(&self, user: usize, client: usize) -> Raw {
        let (mut browser, name) = (self.seat.browsers[user].clone(), self.seat.user(user));
        let ask = self.seat.clients[client].authorization(|ask| ask.scope("read write").resource(NOTES));
        // About the first client nobody is asked, so a page is needed only to log in.
        let at_once = if client == 0 { self.stage.sent_on(&browser, &ask.url).await } else { None };
        let mut landing = match at_once {
            Some(url) => Landing::Left(url),
            None => browser.get(&ask.url).await,
        };
        let mut has_logged_in = false;
        let issued = loop {
            landing = match landing {
                Landing::Left(url) => {
                    let callback = ask.callback(&url);
                    break match &callback.error {
                        Some(error) => Issued::Refused(303, error.clone()),
                        None => Issued::Code(Box::new(callback)),
                    };
                }
                Landing::Page(page) if page.has_form_with("decision") => browser.consent(&page).allow().await,
                Landing::Page(page) if page.has_form_with("username") => {
                    if has_logged_in || self.wrong_logins[user] == WRONG_LOGINS {
                        break Issued::WrongLogin;
                    }
                    has_logged_in = true;
                    browser.log_in(&page, name.as_str()).await
                }
                Landing::Page(page) => break Issued::Refused(page.status, "page".to_owned()),
            };
        };
        Raw::Issue(Box::new(browser), issued)
    }

    async fn suspend(&self, party: Party) -> bool {
        let (store, audit) = self.administration(AuditKind::Suspended);
        let outcome = match party {
            Party::User(user) => store.suspend_user(&self.seat.user_id(user), audit).await,
            Party::Client(client) => store.suspend_client(&self.seat.client_id(client), audit).await,
            Party::Tenant(tenant) => store.suspend_tenant(&self.seat.tenant_id(tenant), audit).await,
        };
        outcome.unwrap().is_won()
    }

    async fn resume(&self, party: Party) -> bool {
        let (store, audit) = self.administration(AuditKind::Resumed);
        let outcome = match party {
            Party::User(user) => store.resume_user(&self.seat.user_id(user), audit).await,
            Party::Client(client) => store.resume_client(&self.seat.client_id(client), audit).await,
            Party::Tenant(tenant) => store.resume_tenant(&self.seat.tenant_id(tenant), audit).await,
        };
        outcome.unwrap().is_won()
    }

    fn administration(&self, kind: AuditKind) -> (Store, AuditEvent) {
        let engine = self.stage.server.app().engine().clone();
        (engine.store.clone(), AuditEvent::new(engine.clock.now(), kind))
    }

    /// Whether somebody's name may rest by now.
    pub(crate) fn has_failed_to_log_in(&self) -> bool {
        self.wrong_logins != [0; 3]
    }

    /// Deletes as soon as it is allowed: dead grants are kept while their access tokens last.
    async fn sweep(&self) {
        let server = &self.stage.server;
        let policy = SweepPolicy {
            dead_grant_kept: Duration::from_secs(self.stage.rules.access.unsigned_abs()),
            unused_client_kept: Duration::from_secs(3600),
            audit_kept: Duration::from_secs(3600),
            batch: 1000,
        };
        server.app().engine().store.delete_expired_signing_keys(server.clock().now()).await.unwrap();
        while !server.app().engine().store.sweep(server.clock().now(), policy).await.unwrap().is_nothing() {}
    }

    /// Reads the answer to the request with this number, and remembers what it brought.
    pub(crate) fn read(&mut self, number: usize, request: &Request, raw: Raw) -> Answer {
        match (raw, *request) {
            (Raw::Issue(browser, issued), Request::Issue { user, client }) => {
                self.seat.browsers[user] = *browser;
                match issued {
                    Issued::Code(callback) => {
                        self.callbacks.push(*callback);
                        self.grants.push((user, client, None));
                        Answer::Code
                    }
                    Issued::Refused(status, error) => Answer::Refused(status, error),
                    Issued::WrongLogin => {
                        self.wrong_logins[user] = WRONG_LOGINS.min(self.wrong_logins[user] + 1);
                        Answer::Refused(200, "login".to_owned())
                    }
                }
            }
            (Raw::Token(answer), Request::Redeem { grant, .. } | Request::Refresh { grant, .. }) => {
                self.tokens(number, grant, *answer)
            }
            (Raw::Introspection(answer), _) => introspected(&answer),
            (Raw::Revocation(answer), _) if answer.status == 200 => Answer::Done,
            (Raw::Revocation(answer), _) => refused(&answer),
            (Raw::Verb(true), _) => Answer::Done,
            (Raw::Verb(false), _) => Answer::Refused(0, "lost".to_owned()),
            _ => panic!("an answer to another request"),
        }
    }

    /// A refresh token that was seen before is the one it was; a new one is the next of its grant.
    fn tokens(&mut self, number: usize, grant: usize, answer: TokenResponse) -> Answer {
        if answer.status != 200 {
            return refused(&answer);
        }
        let answer = answer.granted();
        let text = answer.refresh_token().to_owned();
        let (grant, generation) = *self.known.entry(text.clone()).or_insert_with(|| {
            let newest = &mut self.grants[grant].2;
            *newest = Some(newest.map_or(0, |newest| newest + 1));
            (grant, newest.unwrap_or(0))
        });
        self.refresh.insert((grant, generation), text);
        self.access.insert(number, answer.access_token().to_owned());
        Answer::Tokens { grant, generation, all: is_all(answer.scope()) }
    }
}

fn introspected(answer: &JsonAnswer) -> Answer {
    match (answer.status, answer.json["active"].as_bool()) {
        (200, Some(true)) => Answer::Active { all: is_all(answer.text("scope")) },
        (200, Some(false)) => Answer::Inactive,
        _ => refused(answer),
    }
}

fn refused(answer: &JsonAnswer) -> Answer {
    let (status, error) = answer.refusal();
    Answer::Refused(status, error.to_owned())
}

fn is_all(scope: &str) -> bool {
    match scope {
        "read write" => true,
        "read" => false,
        other => panic!("a scope that nobody asked for: {other}"),
    }
}
