//! The mark of test mode.

/// The claim, always `true`, in every access token and id token that a server in test mode signs, and in no other.
///
/// Such a server gives tokens for anybody to whoever asks, so nobody may take its tokens for real ones: a resource
/// server that was left pointing at it knows them by this claim. No configuration can set it
/// ([`ClaimName`](super::ClaimName)).
pub const TEST_MARK: &str = "gatelet_test";
