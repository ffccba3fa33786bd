//! What is known of people beyond who they are, for claims of their tokens.

use super::backend::Tx;
use super::sql::statements;
use super::value::{Row, args, json};
use super::{Store, StoreError};
use crate::protocol::{AttributeChanges, Attributes, PersonFacts, TenantId, UserId, change_attributes};

statements! {
    FACTS = "SELECT u.username, u.name, u.email, u.attributes, m.attributes AS membership_attributes
        FROM users u JOIN memberships m ON m.user_id = u.id WHERE u.id = $1 AND m.tenant_id = $2";
    OF_USER = "SELECT attributes FROM users WHERE id = $1";
    OF_MEMBERSHIP = "SELECT attributes FROM memberships WHERE user_id = $1 AND tenant_id = $2";
    PUT_OF_USER = "UPDATE users SET attributes = $2 WHERE id = $1 AND attributes <> $2";
    PUT_OF_MEMBERSHIP = "UPDATE memberships SET attributes = $3
        WHERE user_id = $1 AND tenant_id = $2 AND attributes <> $3";
}

impl Store {
    /// What is known of a person as a member of a tenant; nothing for who is no member.
    pub async fn person_facts(
        &self,
        user: &UserId,
        tenant: &TenantId,
    ) -> Result<Option<PersonFacts>, StoreError> {
        self.backend.optional(FACTS, args![user, tenant]).await?.as_ref().map(facts).transpose()
    }
}

fn facts(row: &Row) -> Result<PersonFacts, StoreError> {
    Ok(PersonFacts {
        username: row.text("username")?.to_owned(),
        name: row.optional_text("name")?.map(str::to_owned),
        email: row.optional_text("email")?.map(str::to_owned),
        attributes: row.json("attributes")?,
        membership: row.json("membership_attributes")?,
    })
}

/// Replaces the attributes of a person.
pub(super) async fn put_of_user(
    tx: &mut Tx<'_>,
    user: &UserId,
    attributes: &Attributes,
) -> Result<(), StoreError> {
    tx.execute(PUT_OF_USER, args![user, &json(attributes)?]).await.map(drop)
}

/// Changes the attributes of a person, whose row the caller has locked.
pub(super) async fn change_of_user(
    tx: &mut Tx<'_>,
    user: &UserId,
    changes: &AttributeChanges,
) -> Result<(), StoreError> {
    let Some(row) = tx.optional(OF_USER, args![user]).await? else { return Ok(()) };
    let mut attributes: Attributes = row.json("attributes")?;
    change_attributes(&mut attributes, changes);
    put_of_user(tx, user, &attributes).await
}

/// Changes the attributes of a membership, whose row the caller has locked.
pub(super) async fn change_of_membership(
    tx: &mut Tx<'_>,
    user: &UserId,
    tenant: &TenantId,
    changes: &AttributeChanges,
) -> Result<(), StoreError> {
    let Some(row) = tx.optional(OF_MEMBERSHIP, args![user, tenant]).await? else { return Ok(()) };
    let mut attributes: Attributes = row.json("attributes")?;
    change_attributes(&mut attributes, changes);
    put_of_membership(tx, user, tenant, &attributes).await
}

/// Replaces the attributes of a membership.
pub(super) async fn put_of_membership(
    tx: &mut Tx<'_>,
    user: &UserId,
    tenant: &TenantId,
    attributes: &Attributes,
) -> Result<(), StoreError> {
    tx.execute(PUT_OF_MEMBERSHIP, args![user, tenant, &json(attributes)?]).await.map(drop)
}
