//! Samples of the consent page.

use super::super::{ClientView, ConsentPage, ResourceView, ScopeView, TenantView, Verification};
use super::{ARABIC, ATTRIBUTE, EMOJI, LINES, OVERRIDE, SCRIPT, dev, exposed, long};

impl ConsentPage {
    /// The page filled in, by case.
    pub fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("web-client", web()),
            ("loopback-client", loopback()),
            ("document-on-loopback", Self { client: web().client, ..loopback() }),
            ("custom-scheme", custom_scheme()),
            ("first-party", Self { client: client("Wiki helper", Verification::FirstParty), ..web() }),
            ("tenants", Self { tenants: tenants(), mode_notice: dev(), ..web() }),
            ("tenants-differ", tenants_differ(web())),
            ("new-at-another-tenant", new_at_another_tenant()),
            ("unnamed", unnamed(web())),
            ("unnamed-remembered", unnamed(several_remembered())),
            ("remembered", Self { remembered: true, ..web() }),
            ("remembered-new", remembered_new()),
            ("sign-in", Self { resources: vec![about_you()], ..web() }),
            ("server-and-sign-in", with_sign_in(web())),
            ("server-and-sign-in-remembered", Self { remembered: true, ..with_sign_in(loopback()) }),
            ("changed", Self { changed: true, ..web() }),
            ("nothing-asked", nothing_asked()),
            ("several-servers", several()),
            ("several-servers-loopback", Self { tenants: tenants(), ..several_on(loopback()) }),
            ("several-servers-remembered", several_remembered()),
            ("refused-before", refused_before()),
            ("each-time", each_time()),
            ("hostile", hostile(false)),
            ("hostile-remembered", hostile(true)),
            ("hostile-lines", Self { client: client(LINES, Verification::SelfRegistered), ..loopback() }),
            ("right-to-left", Self { client: client(ARABIC, Verification::SelfRegistered), ..loopback() }),
        ]
    }
}

fn web() -> ConsentPage {
    ConsentPage {
        interaction: "01jd7t".to_owned(),
        csrf: "Y3NyZg".to_owned(),
        user_name: "Alice Ngata".to_owned(),
        username: "alice".to_owned(),
        switch_account: "/logout?continue=c2VhbGVk".to_owned(),
        client: ClientView {
            uri: Some("https://claude.ai".to_owned()),
            ..client("Claude", Verification::Document { host: "claude.ai".to_owned() })
        },
        redirect_host: "claude.ai".to_owned(),
        loopback_only: false,
        custom_scheme: false,
        resources: vec![notes()],
        tenants: tenants().into_iter().take(1).collect(),
        remembered: false,
        changed: false,
        mode_notice: None,
    }
}

fn loopback() -> ConsentPage {
    ConsentPage {
        client: client("Claude Code (team-notes)", Verification::SelfRegistered),
        redirect_host: "127.0.0.1:33418".to_owned(),
        loopback_only: true,
        mode_notice: dev(),
        ..web()
    }
}

fn custom_scheme() -> ConsentPage {
    ConsentPage {
        client: client("Cursor", Verification::SelfRegistered),
        redirect_host: "cursor:// application".to_owned(),
        custom_scheme: true,
        ..web()
    }
}

fn remembered_new() -> ConsentPage {
    let mut notes = notes();
    notes.scopes.push(scope("notes:admin", "Delete notes of others", true));
    ConsentPage { remembered: true, tenants: tenants(), resources: vec![notes], ..loopback() }
}

/// What one of the tenants alone can give.
fn tenants_differ(page: ConsentPage) -> ConsentPage {
    let mut page = ConsentPage { tenants: tenants(), ..several_on(page) };
    page.tenants.reverse();
    page.tenants[0].selected = true;
    page.tenants[1].selected = false;
    for share in page.resources[0].scopes.iter_mut().skip(1) {
        (share.only_for, share.is_elsewhere) = (vec!["Acme".to_owned()], true);
    }
    for scope in &mut page.resources[1].scopes {
        scope.is_elsewhere = true;
    }
    page
}

fn new_at_another_tenant() -> ConsentPage {
    let mut page = ConsentPage { remembered: true, ..tenants_differ(loopback()) };
    page.resources[1].is_new = true;
    for scope in page.resources.iter_mut().flat_map(|resource| &mut resource.scopes) {
        scope.is_new = scope.is_elsewhere;
    }
    page
}

/// Nobody gave names or words to anything.
fn unnamed(mut page: ConsentPage) -> ConsentPage {
    for resource in &mut page.resources {
        resource.name.clone_from(&resource.uri);
        for scope in resource.scopes.iter_mut().filter(|scope| !scope.name.is_empty()) {
            scope.description.clone_from(&scope.name);
        }
    }
    page
}

fn refused_before() -> ConsentPage {
    let mut notes = notes();
    for scope in &mut notes.scopes[1..] {
        (scope.checked, scope.is_refused) = (false, true);
    }
    notes.scopes.push(scope("notes:export", "Export all notes as one file", true));
    ConsentPage { remembered: true, resources: vec![notes], ..loopback() }
}

fn each_time() -> ConsentPage {
    let mut notes = notes();
    notes.scopes[2].is_each_time = true;
    ConsentPage { remembered: true, resources: vec![notes], ..web() }
}

fn nothing_asked() -> ConsentPage {
    let mut notes = notes();
    notes.scopes = vec![whole(&notes.uri)];
    ConsentPage { resources: vec![notes], tenants: Vec::new(), ..web() }
}

fn several() -> ConsentPage {
    several_on(web())
}

fn several_on(page: ConsentPage) -> ConsentPage {
    let calendar = ResourceView {
        scopes: vec![
            at(CALENDAR, scope("read", "See when you are busy", false)),
            at(CALENDAR, scope("write", "Make and move appointments", false)),
        ],
        only_for: vec!["Acme".to_owned()],
        ..server("Calendar", CALENDAR)
    };
    let search = ResourceView { scopes: vec![whole(SEARCH)], ..server("Company search", SEARCH) };
    ConsentPage { resources: vec![notes(), calendar, search], ..page }
}

fn several_remembered() -> ConsentPage {
    let mut page = ConsentPage { remembered: true, ..several_on(loopback()) };
    let [notes, calendar, search] = page.resources.as_mut_slice() else { return page };
    notes.scopes.push(scope("notes:admin", "Delete notes of others", true));
    calendar.is_new = true;
    for scope in calendar.scopes.iter_mut().chain(&mut search.scopes) {
        scope.is_new = !scope.name.is_empty();
    }
    page
}

const NOTES: &str = "https://notes.acme.example/mcp";
const CALENDAR: &str = "https://calendar.acme.example/mcp";
const SEARCH: &str = "https://search.acme.example/mcp";

fn server(name: &str, uri: &str) -> ResourceView {
    let (name, uri) = (name.to_owned(), uri.to_owned());
    let (is_identity, is_new) = (false, false);
    ResourceView { name, uri, scopes: Vec::new(), is_identity, is_new, only_for: Vec::new() }
}

fn about_you() -> ResourceView {
    let known = ScopeView { required: true, ..scope("openid", "Know which account here is yours", false) };
    let mail =
        ScopeView { is_refused: true, checked: false, ..scope("email", "See your mail address", false) };
    let scopes = vec![known, scope("profile", "See your name and your user name", false), mail];
    ResourceView {
        scopes,
        is_identity: true,
        ..server("Your account", "https://id.acme.example/oauth/userinfo")
    }
}

fn with_sign_in(mut page: ConsentPage) -> ConsentPage {
    page.resources.push(about_you());
    page
}

fn notes() -> ResourceView {
    let scopes = vec![
        scope("notes:read", "Read your team’s notes", false),
        scope("notes:write", "Write and change notes", false),
        scope("notes:share", "Share notes with people outside your team", false),
    ];
    ResourceView { scopes, ..server("Team notes", NOTES) }
}

/// A tick for a server of which nothing in particular is asked.
fn whole(uri: &str) -> ScopeView {
    let words = "Use it, with no particular permission";
    ScopeView { value: uri.to_owned(), name: String::new(), ..scope("", words, false) }
}

fn at(uri: &str, scope: ScopeView) -> ScopeView {
    ScopeView { value: format!("{uri} {}", scope.name), ..scope }
}

fn client(name: &str, verification: Verification) -> ClientView {
    ClientView { name: name.to_owned(), verification, uri: None }
}

fn scope(value: &str, description: &str, is_new: bool) -> ScopeView {
    ScopeView {
        value: format!("{NOTES} {value}"),
        name: value.to_owned(),
        description: description.to_owned(),
        checked: true,
        required: false,
        is_new,
        is_refused: false,
        is_each_time: false,
        only_for: Vec::new(),
        is_elsewhere: false,
    }
}

fn tenants() -> Vec<TenantView> {
    [("acme", "Acme", true), ("globex", "Globex International", false)]
        .map(|(id, name, selected)| TenantView { id: id.to_owned(), name: name.to_owned(), selected })
        .into()
}

fn hostile_server(name: &str) -> ResourceView {
    let scopes = vec![
        scope(SCRIPT, ATTRIBUTE, false),
        scope(&long(), &long(), true),
        scope("emoji", EMOJI, false),
        ScopeView { is_refused: true, checked: false, ..scope("bare:scope", " ", false) },
    ];
    let only_for = vec![SCRIPT.to_owned(), long(), OVERRIDE.to_owned()];
    ResourceView { scopes, only_for, ..server(name, &format!("https://{}/mcp", long())) }
}

fn hostile(remembered: bool) -> ConsentPage {
    ConsentPage {
        interaction: ATTRIBUTE.to_owned(),
        csrf: SCRIPT.to_owned(),
        user_name: OVERRIDE.to_owned(),
        username: long(),
        switch_account: ATTRIBUTE.to_owned(),
        client: ClientView {
            name: SCRIPT.to_owned(),
            verification: Verification::Document { host: format!("claude.ai.{}.evil.example", long()) },
            uri: Some(format!("javascript:alert(1)//{ATTRIBUTE}")),
        },
        redirect_host: format!("accounts.google.com.{}.evil.example", long()),
        loopback_only: false,
        custom_scheme: true,
        resources: vec![hostile_server(LINES), hostile_server(SCRIPT), hostile_server(&long())],
        tenants: [SCRIPT, OVERRIDE, EMOJI]
            .map(|name| TenantView {
                id: ATTRIBUTE.to_owned(),
                name: name.to_owned(),
                selected: name == SCRIPT,
            })
            .into(),
        remembered,
        changed: !remembered,
        mode_notice: exposed(),
    }
}
