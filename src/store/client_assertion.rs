//! Client assertions that were used: each is used once (RFC 7523 §3, `jti`).

use super::sql::statements;
use super::value::args;
use super::{Outcome, Store, StoreError};
use crate::protocol::client_assertion::Spending;

statements! {
    SPEND = "INSERT INTO client_assertions (id, good_until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
}

impl Store {
    /// Notes that an assertion was used. Lost when it was used before.
    pub async fn spend_assertion(&self, spending: Spending) -> Result<Outcome, StoreError> {
        self.write_guarded(spending, |tx, Spending { id, good_until }| {
            Box::pin(async move { Ok(Outcome::of(tx.execute(SPEND, args![id, *good_until]).await?)) })
        })
        .await
    }
}
