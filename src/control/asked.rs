//! What a request of the control plane says: the names in its path, and its body. What cannot be read is refused in JSON,
//! as everything else is.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::answer::Refused;

/// The names in the path of a route.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let names = Path::<T>::from_request_parts(parts, state).await;
        // Nothing has a name that is not UTF-8.
        names.map(|Path(names)| Self(names)).map_err(|_| Refused::no_route())
    }
}

/// A body, whole.
pub(super) struct Body(Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refused::too_long(),
            _ => Refused::invalid("the body: was not sent to its end"),
        })
    }
}

impl Body {
    /// Reads JSON.
    ///
    /// # Errors
    /// [`Refused::invalid`], with the place. Nothing at all is no body: who forgot it meant something.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let start = self.0.trim_ascii_start().first();
        // A list of the members' values in some order would do for the types, and for nobody who reads it.
        if start.is_some_and(|first| *first == b'[') {
            return Err(Refused::invalid("the body: is a list, and must be an object"));
        }
        serde_json::from_slice(&self.0).map_err(|error| Refused::invalid(format!("the body: {error}")))
    }

    /// The same for what may be left out whole.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub(super) fn read_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Refused> {
        if self.0.is_empty() { Ok(T::default()) } else { self.read() }
    }
}
