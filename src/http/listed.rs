//! A router that knows its addresses: axum's own cannot be asked.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::MethodRouter;

use super::site::Site;

/// Routes, and the paths at which they are.
#[derive(Default)]
pub(super) struct Listed {
    router: Router<Site>,
    paths: BTreeSet<String>,
}

impl Listed {
    /// One route more.
    pub(super) fn route(mut self, path: &str, methods: MethodRouter<Site>) -> Self {
        self.paths.insert(path.to_owned());
        Self { router: self.router.route(path, methods), paths: self.paths }
    }

    /// The same routes at several paths.
    pub(super) fn at_each(
        self,
        paths: impl IntoIterator<Item = String>,
        methods: &MethodRouter<Site>,
    ) -> Self {
        paths.into_iter().fold(self, |listed, path| listed.route(&path, methods.clone()))
    }

    /// Both.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        Self { router: self.router.merge(other.router), paths: self.paths }
    }

    /// With something around every route so far.
    pub(super) fn within(self, wrap: impl FnOnce(Router<Site>) -> Router<Site>) -> Self {
        Self { router: wrap(self.router), paths: self.paths }
    }

    /// The routes, and their paths.
    pub(super) fn parts(self) -> (Router<Site>, BTreeSet<String>) {
        (self.router, self.paths)
    }
}
