//! The rows of the database, past the server.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::sql::texts;

/// What the tables hold at one moment.
pub(crate) struct Snapshot {
    /// By identifier; only those that registered themselves, which are all.
    pub(crate) clients: BTreeMap<String, ClientRow>,
    /// How many secrets there are, by client.
    pub(crate) client_secrets: BTreeMap<String, usize>,
    /// Session → user.
    pub(crate) sessions: BTreeMap<String, String>,
    /// Interaction → session.
    pub(crate) interactions: BTreeMap<String, String>,
    /// User and client → scope.
    pub(crate) consents: BTreeMap<(String, String), String>,
    /// By identifier.
    pub(crate) grants: BTreeMap<String, GrantRow>,
    /// By identifier.
    pub(crate) codes: BTreeMap<String, CodeRow>,
    /// How often which kind of event is told of which grant, else client, else user.
    pub(crate) events: BTreeMap<(String, String), usize>,
    /// The `jti` of access tokens that were revoked.
    pub(crate) revoked_tokens: Vec<String>,
    /// The identifiers of signing keys and server secrets.
    pub(crate) keys: Vec<String>,
    /// Signing key → state.
    pub(crate) signing: BTreeMap<String, String>,
    /// People who are suspended.
    pub(crate) suspended: Vec<String>,
}

/// A row of `clients`.
pub(crate) struct ClientRow {
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) redirect_uris: String,
    pub(crate) grant_types: String,
    pub(crate) auth_methods: String,
    pub(crate) is_used: bool,
}

/// A row of `grants`.
pub(crate) struct GrantRow {
    pub(crate) user: String,
    pub(crate) client: String,
    /// The generation of the live refresh token, once there is one.
    pub(crate) generation: Option<usize>,
    pub(crate) retries: usize,
    /// How many of the columns of the chain of refresh tokens are set, of five.
    pub(crate) chain_columns: usize,
    pub(crate) revoked_why: Option<String>,
    pub(crate) is_revoked: bool,
}

/// A row of `authorization_codes`.
pub(crate) struct CodeRow {
    pub(crate) grant: String,
    pub(crate) client: String,
    pub(crate) is_redeemed: bool,
}

impl Snapshot {
    /// Reads everything.
    pub(crate) async fn of(url: &str) -> Self {
        let pairs = async |sql| rows(url, sql).await.into_iter().map(|[key, value]| (key, value));
        let clients = rows(
            url,
            "SELECT id || '|' || COALESCE(name, '') || '|' || COALESCE(uri, '') || '|' || redirect_uris || '|' ||
             grant_types || '|' || auth_methods || '|' || CASE WHEN used_at IS NULL THEN '' ELSE 'used' END FROM clients",
        );
        let grants = rows(
            url,
            "SELECT id || '|' || user_id || '|' || client_id || '|' ||
             COALESCE(CAST(refresh_generation AS TEXT), '') || '|' || COALESCE(CAST(refresh_retries AS TEXT), '') || '|' ||
             CAST(CASE WHEN refresh_generation IS NULL THEN 0 ELSE 1 END + CASE WHEN refresh_rotated_at IS NULL THEN 0
             ELSE 1 END + CASE WHEN refresh_retries IS NULL THEN 0 ELSE 1 END + CASE WHEN refresh_idle_expires_at IS NULL
             THEN 0 ELSE 1 END + CASE WHEN refresh_expires_at IS NULL THEN 0 ELSE 1 END AS TEXT) || '|' ||
             COALESCE(revoked_why, '') || '|' || CASE WHEN revoked_at IS NULL THEN '' ELSE 'revoked' END FROM grants",
        );
        let codes = rows(
            url,
            "SELECT id || '|' || grant_id || '|' || client_id || '|' ||
             CASE WHEN redeemed_at IS NULL THEN '' ELSE 'redeemed' END FROM authorization_codes",
        );
        let consents = rows(url, "SELECT user_id || '|' || client_id || '|' || scope FROM consents");
        let events = rows(
            url,
            "SELECT kind || '|' || about || '|' || CAST(COUNT(*) AS TEXT) FROM
             (SELECT kind, COALESCE(grant_id, client_id, user_id, '') AS about FROM audit_events) e GROUP BY kind, about",
        );
        let secrets =
            pairs("SELECT client_id || '|' || CAST(COUNT(*) AS TEXT) FROM client_secrets GROUP BY client_id");
        Self {
            clients: clients.await.into_iter().map(client_row).collect(),
            client_secrets: secrets.await.map(|(client, count)| (client, count.parse().unwrap())).collect(),
            sessions: pairs("SELECT id || '|' || user_id FROM browser_sessions").await.collect(),
            interactions: pairs("SELECT id || '|' || session_id FROM interactions").await.collect(),
            consents: consents
                .await
                .into_iter()
                .map(|[user, client, scope]| ((user, client), scope))
                .collect(),
            grants: grants.await.into_iter().map(grant_row).collect(),
            codes: codes.await.into_iter().map(code_row).collect(),
            events: events
                .await
                .into_iter()
                .map(|[kind, about, count]| ((kind, about), count.parse().unwrap()))
                .collect(),
            revoked_tokens: texts(url, "SELECT jti FROM revoked_tokens").await,
            signing: pairs("SELECT kid || '|' || state FROM signing_keys").await.collect(),
            suspended: texts(url, "SELECT id FROM users WHERE suspended_at IS NOT NULL").await,
            keys: texts(url, "SELECT kid FROM signing_keys UNION ALL SELECT id FROM server_secrets").await,
        }
    }

    /// How many grants name a client.
    pub(crate) fn grants_of(&self, client: &str) -> usize {
        self.grants.values().filter(|grant| grant.client == client).count()
    }

    /// How often something happened.
    pub(crate) fn events(&self, kind: &str, about: &str) -> usize {
        self.events.get(&(kind.to_owned(), about.to_owned())).copied().unwrap_or_default()
    }
}

/// A killed client does not end what PostgreSQL was already doing for it: these are the processes that did.
pub(crate) async fn backends(url: &str) -> Vec<String> {
    if url.starts_with("sqlite:") {
        return Vec::new();
    }
    texts(url, "SELECT CAST(pid AS TEXT) FROM pg_stat_activity WHERE application_name = 'gatelet'").await
}

/// Waits until they have ended, so that what is read afterwards is all that will be there.
pub(crate) async fn await_end(url: &str, of: &[String]) {
    let began = Instant::now();
    while !of.is_empty() && backends(url).await.iter().any(|pid| of.contains(pid)) {
        assert!(began.elapsed() < Duration::from_secs(20), "PostgreSQL goes on for a client that is gone");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn rows<const N: usize>(url: &str, sql: &str) -> Vec<[String; N]> {
    let split = |row: String| row.split('|').map(str::to_owned).collect::<Vec<_>>();
    texts(url, sql)
        .await
        .into_iter()
        .map(|row| split(row).try_into().expect("columns without a bar"))
        .collect()
}

fn client_row(row: [String; 7]) -> (String, ClientRow) {
    let [id, name, uri, redirect_uris, grant_types, auth_methods, used] = row;
    (id, ClientRow { name, uri, redirect_uris, grant_types, auth_methods, is_used: !used.is_empty() })
}

fn grant_row(row: [String; 8]) -> (String, GrantRow) {
    let [id, user, client, generation, retries, columns, why, revoked] = row;
    let grant = GrantRow {
        user,
        client,
        generation: generation.parse().ok(),
        retries: retries.parse().unwrap_or_default(),
        chain_columns: columns.parse().unwrap(),
        revoked_why: (!why.is_empty()).then_some(why),
        is_revoked: !revoked.is_empty(),
    };
    (id, grant)
}

fn code_row([id, grant, client, redeemed]: [String; 4]) -> (String, CodeRow) {
    (id, CodeRow { grant, client, is_redeemed: !redeemed.is_empty() })
}
