//! The page at `/consent`.

use askama::Template;

use super::text::filters;
use super::{ClientView, ModeNotice, Page};

/// Asks whether an application may act for the person (MCP security best practices, consent). Posts `interaction`,
/// `csrf`, any number of `scope`, `tenant` and `decision` (`allow` or `deny`) to `/consent`.
///
/// `deny` is the form's first button, so a stray Enter key denies.
#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Handle of the parked authorization request.
    pub interaction: String,
    /// Token that ties the form to this browser session.
    pub csrf: String,
    /// The person's name as shown.
    pub user_name: String,
    /// The person's login name.
    pub username: String,
    /// Where "Not you?" leads, a login page for the same request.
    pub switch_account: String,
    /// Who asks.
    pub client: ClientView,
    /// Where the browser will be sent: `127.0.0.1:33418`, `claude.ai`, `cursor:// application`.
    pub redirect_host: String,
    /// The answer goes to a loopback address: any program on this computer could be behind it.
    pub loopback_only: bool,
    /// The redirect URI has a private-use scheme (RFC 8252 §7.1), which any application can claim.
    pub custom_scheme: bool,
    /// The MCP servers to be used, with what is asked for at each; and what is to be told about the person.
    pub resources: Vec<ResourceView>,
    /// Tenants to choose from: none, one (then a line) or several (then a choice).
    pub tenants: Vec<TenantView>,
    /// The person allowed this before: the page shrinks to one click, with the choices filled in and folded away.
    pub remembered: bool,
    /// The person allowed this before, and what the application says about itself has changed since.
    pub changed: bool,
    /// Mode strip.
    pub mode_notice: Option<ModeNotice>,
}

/// An MCP server as a person sees it.
#[derive(Clone, Debug)]
pub struct ResourceView {
    /// Name.
    pub name: String,
    /// Canonical URI.
    pub uri: String,
    /// What is asked for there. One without a name, when that is nothing in particular.
    pub scopes: Vec<ScopeView>,
    /// It is no MCP server but this server, and what is asked for is to be told about the person.
    pub is_identity: bool,
    /// The application was not allowed to use it before, but something else.
    pub is_new: bool,
    /// The names of the tenants to which it is open, when some of those to choose from are not among them.
    pub only_for: Vec<String>,
}

/// A scope that can be ticked.
#[derive(Clone, Debug)]
pub struct ScopeView {
    /// What is sent when it is ticked.
    pub value: String,
    /// The scope token; empty when the tick is for the whole MCP server.
    pub name: String,
    /// What it allows, in words that continue "It asks to"; may be empty.
    pub description: String,
    /// Ticked at first.
    pub checked: bool,
    /// Cannot be taken away: without it, the rest of the request means nothing.
    pub required: bool,
    /// Not part of what the person allowed before.
    pub is_new: bool,
    /// Left unticked by the person before.
    pub is_refused: bool,
    /// Allowed before, and still to be decided about each time.
    pub is_each_time: bool,
    /// The names of the tenants in which it can be given, when it cannot in others to which its MCP server is open.
    pub only_for: Vec<String>,
    /// It cannot be given in the tenant that is chosen at first.
    pub is_elsewhere: bool,
}

/// A tenant that can be chosen.
#[derive(Clone, Debug)]
pub struct TenantView {
    /// Value of `tenant`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Chosen at first.
    pub selected: bool,
}

impl ScopeView {
    /// Whether it is told in words what it allows, beside its name.
    fn has_words(&self) -> bool {
        !self.description.trim().is_empty() && self.description != self.name
    }

    fn only_for(&self) -> String {
        in_a_row(&self.only_for)
    }

    fn is_known(&self) -> bool {
        !self.is_new && !self.is_refused && !self.is_each_time
    }
}

impl ResourceView {
    fn has_new(&self) -> bool {
        self.scopes.iter().any(|scope| scope.is_new)
    }

    fn has_refused(&self) -> bool {
        self.scopes.iter().any(|scope| scope.is_refused)
    }

    fn has_each_time(&self) -> bool {
        self.scopes.iter().any(|scope| scope.is_each_time)
    }

    fn has_known(&self) -> bool {
        self.scopes.iter().any(ScopeView::is_known)
    }

    /// Whether it has a name beside its address.
    fn is_named(&self) -> bool {
        !self.name.trim().is_empty() && self.name != self.uri
    }

    fn only_for(&self) -> String {
        in_a_row(&self.only_for)
    }
}

/// The names of tenants in a row.
fn in_a_row(names: &[String]) -> String {
    let names = names.iter().map(|name| super::text::shown(name, super::text::NAME_CHARS));
    names.collect::<Vec<_>>().join(", ")
}

impl ConsentPage {
    /// The answer goes to a host on the web, not to whichever program listens or claims a scheme: only then does a
    /// client id document say who will read it.
    fn answer_is_addressed(&self) -> bool {
        !self.loopback_only && !self.custom_scheme
    }

    fn only_tenant(&self) -> Option<&TenantView> {
        match self.tenants.as_slice() {
            [tenant] => Some(tenant),
            _ => None,
        }
    }

    fn servers(&self) -> Vec<&ResourceView> {
        self.resources.iter().filter(|resource| !resource.is_identity).collect()
    }

    fn only_server(&self) -> Option<&ResourceView> {
        match self.servers().as_slice() {
            [resource] => Some(resource),
            _ => None,
        }
    }

    /// The tick for an MCP server that is the only one and of which nothing in particular is asked: there is nothing to
    /// untick then.
    fn only_tick(&self) -> Option<&ScopeView> {
        match self.resources.as_slice() {
            [ResourceView { scopes, .. }] => scopes.first().filter(|scope| scope.name.is_empty()),
            _ => None,
        }
    }

    fn has_new(&self) -> bool {
        self.resources.iter().any(ResourceView::has_new)
    }

    /// A choice is not folded away that the person must still make, or on which it depends what can be given of what is
    /// new.
    fn tenant_is_open(&self) -> bool {
        let is_elsewhere = |resource: &ResourceView| resource.scopes.iter().any(|scope| scope.is_elsewhere);
        let is_chosen = self.tenants.iter().any(|tenant| tenant.selected);
        self.tenants.len() > 1 && (!is_chosen || self.resources.iter().any(is_elsewhere))
    }

    /// What is folded away, counted, so that "one click" hides no number.
    fn fold_title(&self) -> String {
        let is_counted = |scope: &&ScopeView| scope.is_known() && scope.checked && !scope.name.is_empty();
        let known = self.resources.iter().flat_map(|resource| &resource.scopes).filter(is_counted).count();
        let mut title = match known {
            0 => "Already allowed".to_owned(),
            1 => "Already allowed: 1 permission".to_owned(),
            n => format!("Already allowed: {n} permissions"),
        };
        let servers =
            self.servers().iter().filter(|it| it.scopes.iter().any(|scope| is_counted(&scope))).count();
        if servers > 1 {
            title.push_str(&format!(" at {servers} MCP servers"));
        }
        match self.tenants.iter().find(|tenant| tenant.selected) {
            Some(tenant) => {
                let name = super::text::shown(&tenant.name, super::text::NAME_CHARS);
                format!("{title}, on behalf of {name}")
            }
            None => title,
        }
    }
}

impl Page for ConsentPage {
    const LEADS_TO_CLIENT: bool = true;
}
