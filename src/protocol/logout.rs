//! A logout that a client begins (OpenID Connect RP-Initiated Logout §2).

use super::params::encode_pair;
use super::{Client, ClientId, ErrorCode, OAuthError, Params, RedirectUri, UserId};

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "no client has such an identifier").about("client_id");

/// What a client asks for. `logout_hint` and `ui_locales` are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// An id token that says whom the client means and who it is; not checked yet.
    pub id_token_hint: Option<String>,
    /// Who asks, when the hint does not say.
    pub client_id: Option<ClientId>,
    /// Where the browser is to be sent afterwards; not proven yet.
    pub redirect_uri: Option<String>,
    /// What to give back there.
    pub state: Option<String>,
}

impl LogoutRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// For a page: `invalid_request` when a parameter is repeated, `invalid_client` for what is no `client_id`.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        let text = |name| params.optional(name).map(|value| value.map(str::to_owned));
        let client_id = match params.optional("client_id")? {
            Some(text) => Some(ClientId::parse(text).ok_or(UNKNOWN_CLIENT)?),
            None => None,
        };
        Ok(Self {
            id_token_hint: text("id_token_hint")?,
            client_id,
            redirect_uri: text("post_logout_redirect_uri")?,
            state: text("state")?,
        })
    }

    /// The request again, in form encoding: what it means and nothing else.
    pub fn encode(&self) -> String {
        let pairs = [
            ("id_token_hint", self.id_token_hint.as_deref()),
            ("client_id", self.client_id.as_ref().map(ClientId::as_str)),
            ("post_logout_redirect_uri", self.redirect_uri.as_deref()),
            ("state", self.state.as_deref()),
        ];
        let pairs = pairs.iter().filter_map(|(name, value)| value.map(|value| encode_pair(name, value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Who asks, by its own word or by the hint's, which must not differ (RP-Initiated Logout §2).
    ///
    /// # Errors
    /// For a page: `invalid_request` when they do.
    pub fn asking<'a>(&'a self, hint: Option<&'a Hint>) -> Result<Option<&'a ClientId>, OAuthError> {
        match (&self.client_id, hint) {
            (Some(named), Some(hint)) if *named != hint.client => {
                let error =
                    OAuthError::new(ErrorCode::InvalidRequest, "is of an id token for another client");
                Err(error.about("id_token_hint"))
            }
            (Some(named), _) => Ok(Some(named)),
            (None, hint) => Ok(hint.map(|hint| &hint.client)),
        }
    }

    /// The way back to `client`, which has to have registered it, letter by letter (RP-Initiated Logout §3).
    ///
    /// # Errors
    /// For a page: `invalid_request` when it has not, or nobody says whose it is.
    pub fn way_back(&self, client: Option<&Client>) -> Result<Option<WayBack>, OAuthError> {
        let Some(sent) = &self.redirect_uri else { return Ok(None) };
        let registered = client
            .and_then(|client| client.post_logout_redirect_uris.iter().find(|known| known.as_str() == sent));
        match registered {
            Some(uri) => Ok(Some(WayBack { uri: uri.clone(), state: self.state.clone() })),
            None => {
                let error = OAuthError::new(ErrorCode::InvalidRequest, "is not registered for this client");
                Err(error.about("post_logout_redirect_uri"))
            }
        }
    }
}

/// What an authentic id token says about who asks for a logout. It may have expired (RP-Initiated Logout §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The client that got it.
    pub client: ClientId,
    /// The person it is about.
    pub user: UserId,
}

/// An address to which a browser may be sent after a logout. Made by [`LogoutRequest::way_back`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayBack {
    uri: RedirectUri,
    state: Option<String>,
}

impl WayBack {
    /// The host, for people.
    pub fn display_host(&self) -> String {
        self.uri.display_host()
    }

    /// The URL, with `state` as it was sent (RP-Initiated Logout §3).
    pub fn url(&self) -> String {
        let mut url = self.uri.as_str().to_owned();
        if let Some(state) = &self.state {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&encode_pair("state", state));
        }
        url
    }
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoutStep {
    /// The person is asked first.
    pub asks: bool,
    /// The browser is sent back without anybody deciding so; else there is a page with a link.
    pub sends_back: bool,
}

/// Decides about a request of `client` in a browser where `person` is logged in.
///
/// The hint of the person's own id token proves that the client which asks is one that they signed in to: then they are
/// not asked (RP-Initiated Logout §2). A browser is sent on by itself only to clients that an operator vouches for, or
/// for whom that is proven: anybody can register a client and get an id token of their own, and would have an open
/// redirector (RP-Initiated Logout §4, RFC 9700 §4.11.2).
pub fn next_step(client: Option<&Client>, hint: Option<&Hint>, person: Option<&UserId>) -> LogoutStep {
    let is_theirs = hint.is_some_and(|hint| person == Some(&hint.user));
    let is_vouched_for = client.is_some_and(|client| client.origin.is_vouched_for());
    LogoutStep { asks: person.is_some() && !is_theirs, sends_back: is_theirs || is_vouched_for }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ClientOrigin, fixtures};

    fn request(query: &str) -> Result<LogoutRequest, OAuthError> {
        LogoutRequest::parse(&Params::parse(query.as_bytes())?)
    }

    fn client(origin: ClientOrigin) -> Client {
        let uri = |text: &str| RedirectUri::parse(text).unwrap();
        let mut client = fixtures::client(&["https://a.example/cb"]);
        client.origin = origin;
        client.post_logout_redirect_uris =
            vec![uri("https://a.example/bye"), uri("https://a.example/bye?x=y"), uri("http://127.0.0.1/bye")];
        client
    }

    fn hint(client: &str, user: &str) -> Hint {
        Hint { client: ClientId::parse(client).unwrap(), user: UserId::parse(user).unwrap() }
    }

    #[test]
    fn a_request_is_read_and_written_again() {
        // OpenID Connect RP-Initiated Logout §2
        let text = "id_token_hint=a.b.c&client_id=c&post_logout_redirect_uri=https%3A%2F%2Fa.example%2Fbye&state=s%26";
        let read = request(&format!("{text}&ui_locales=de&logout_hint=ada")).unwrap();
        assert_eq!(read.encode(), text);
        assert_eq!(request(&read.encode()), Ok(read));
        assert_eq!(request("").unwrap().encode(), "");
        for (query, code) in
            [("state=1&state=2", ErrorCode::InvalidRequest), ("client_id=a%20b", ErrorCode::InvalidClient)]
        {
            assert_eq!(request(query).map_err(|error| error.code()), Err(code), "{query}");
        }
    }

    #[test]
    fn the_hint_and_the_request_name_one_client() {
        // OpenID Connect RP-Initiated Logout §2
        let (with, without) = (request("client_id=c").unwrap(), request("").unwrap());
        let (own, other) = (hint("c", "ada"), hint("d", "ada"));
        assert_eq!(with.asking(Some(&own)), Ok(Some(&own.client)));
        assert_eq!(with.asking(None), Ok(with.client_id.as_ref()));
        assert_eq!(without.asking(Some(&other)), Ok(Some(&other.client)));
        assert_eq!(without.asking(None), Ok(None));
        assert_eq!(with.asking(Some(&other)).map_err(|error| error.code()), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn the_way_back_is_one_that_is_registered_letter_by_letter() {
        // OpenID Connect RP-Initiated Logout §3, §3.1
        let client = client(ClientOrigin::Config);
        let back = |uri: &str, client: Option<&Client>| {
            let encoded = encode_pair("post_logout_redirect_uri", uri);
            request(&format!("{encoded}&state=a b")).unwrap().way_back(client)
        };
        for (uri, url) in [
            ("https://a.example/bye", "https://a.example/bye?state=a%20b"),
            ("https://a.example/bye?x=y", "https://a.example/bye?x=y&state=a%20b"),
        ] {
            assert_eq!(back(uri, Some(&client)).unwrap().unwrap().url(), url);
        }
        for uri in [
            "https://a.example/bye/",
            "https://A.example/bye",
            "https://a.example/cb",
            "https://a.example/bye?x=z",
            "http://127.0.0.1:5/bye",
            "//a.example/bye",
            "javascript:alert(1)",
        ] {
            assert!(back(uri, Some(&client)).is_err(), "{uri}");
        }
        assert!(back("https://a.example/bye", None).is_err(), "nobody says whose it is");
        assert_eq!(request("client_id=c&state=s").unwrap().way_back(Some(&client)), Ok(None));
    }

    #[test]
    fn the_person_is_asked_unless_the_hint_is_theirs() {
        // OpenID Connect RP-Initiated Logout §2, §4; RFC 9700 §4.11.2
        let (ada, own, other) = (UserId::parse("ada").unwrap(), hint("c", "ada"), hint("c", "eve"));
        let (known, stranger) = (client(ClientOrigin::Config), client(ClientOrigin::Dynamic));
        for (client, hint, person, asks, sends_back) in [
            (Some(&known), Some(&own), Some(&ada), false, true),
            (Some(&known), Some(&other), Some(&ada), true, true),
            (Some(&known), None, Some(&ada), true, true),
            (Some(&known), None, None, false, true),
            (Some(&stranger), Some(&own), Some(&ada), false, true),
            (Some(&stranger), Some(&other), Some(&ada), true, false),
            (Some(&stranger), Some(&other), None, false, false),
            (Some(&stranger), None, None, false, false),
            (None, None, Some(&ada), true, false),
            (None, None, None, false, false),
        ] {
            let step = next_step(client, hint, person);
            assert_eq!((step.asks, step.sends_back), (asks, sends_back), "{client:?} {hint:?} {person:?}");
        }
    }
}
