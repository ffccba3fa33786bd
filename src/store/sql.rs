//! Every statement that this program sends, named.
//!
//! A statement stands beside the verb that uses it, in a `statements!` block, which also puts it on its file's list;
//! the lists are gathered here, so that a test can prepare each statement on both databases. One text serves SQLite
//! and PostgreSQL: `$1` placeholders, `TEXT` and `BIGINT`, no booleans, no `now()`, no JSON operators,
//! `CAST($n AS BIGINT)` where no column types a parameter.

/// One statement in the dialect that both databases share.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    name: &'static str,
    text: &'static str,
}

impl Statement {
    /// Only `statements!` calls this, so that no statement escapes the lists.
    pub(super) const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text }
    }

    /// The statement's name in the source.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The text that is sent.
    pub const fn text(self) -> &'static str {
        self.text
    }
}

/// Declares the statements of one file, and `STATEMENTS`, the list of them.
macro_rules! statements {
    ($($(#[$doc:meta])* $shared:vis $name:ident = $text:expr;)+) => {
        $($(#[$doc])* $shared const $name: super::sql::Statement = super::sql::Statement::new(stringify!($name), $text);)+

        /// The statements of this file.
        pub(super) const STATEMENTS: &[super::sql::Statement] = &[$($name),+];
    };
}
pub(super) use statements;

/// The lists of all files.
const LISTS: &[&[Statement]] = &[
    super::admin_client::STATEMENTS,
    super::admin_grant::STATEMENTS,
    super::admin_resource::STATEMENTS,
    super::admin_role::STATEMENTS,
    super::admin_tenant::STATEMENTS,
    super::admin_user::STATEMENTS,
    super::attributes::STATEMENTS,
    super::audit::STATEMENTS,
    super::authorization_code::STATEMENTS,
    super::browser_session::STATEMENTS,
    super::client::STATEMENTS,
    super::client_assertion::STATEMENTS,
    super::client_document::STATEMENTS,
    super::client_management::STATEMENTS,
    super::client_registration::STATEMENTS,
    super::consent::STATEMENTS,
    super::declared_client::STATEMENTS,
    super::declared_user::STATEMENTS,
    super::grant::STATEMENTS,
    super::initial_access::STATEMENTS,
    super::interaction::STATEMENTS,
    super::issue::STATEMENTS,
    super::key_custody::STATEMENTS,
    super::login_failure::STATEMENTS,
    super::meta::STATEMENTS,
    super::refresh::STATEMENTS,
    super::resource::STATEMENTS,
    super::revoked_token::STATEMENTS,
    super::role::STATEMENTS,
    super::server_secret::STATEMENTS,
    super::signing_key::STATEMENTS,
    super::suspend::STATEMENTS,
    super::sweep::STATEMENTS,
    super::tenant::STATEMENTS,
    super::user::STATEMENTS,
];

/// Every statement of the store, for the test that prepares them all.
pub fn all_statements() -> impl Iterator<Item = Statement> {
    LISTS.iter().flat_map(|list| list.iter().copied())
}
