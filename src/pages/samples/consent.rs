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
            ("remembered", Self { remembered: true, ..web() }),
            ("remembered-new", remembered_new()),
            ("sign-in", sign_in()),
            ("changed", Self { changed: true, ..web() }),
            ("nothing-asked", Self { scopes: Vec::new(), tenants: Vec::new(), ..web() }),
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
        resource: ResourceView {
            name: "Team notes".to_owned(),
            uri: "https://notes.acme.example/mcp".to_owned(),
        },
        scopes: vec![
            scope("notes:read", "Read your team’s notes", false),
            scope("notes:write", "Write and change notes", false),
            scope("offline_access", "Stay connected when you are away", false),
        ],
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
    let mut page = ConsentPage { remembered: true, tenants: tenants(), ..loopback() };
    page.scopes.push(scope("notes:admin", "Delete notes of others", true));
    page
}

fn sign_in() -> ConsentPage {
    let mut page = web();
    page.scopes = vec![
        scope("notes:read", "Read your team’s notes", false),
        scope("openid", "Know which account here is yours", false),
        scope("profile", "See your name and your user name", false),
        scope("email", "See your mail address", false),
    ];
    page
}

fn client(name: &str, verification: Verification) -> ClientView {
    ClientView { name: name.to_owned(), verification, uri: None }
}

fn scope(value: &str, description: &str, is_new: bool) -> ScopeView {
    let required = value == "openid";
    ScopeView {
        value: value.to_owned(),
        description: description.to_owned(),
        checked: !is_new,
        required,
        is_new,
    }
}

fn tenants() -> Vec<TenantView> {
    [("acme", "Acme", true), ("globex", "Globex International", false)]
        .map(|(id, name, selected)| TenantView { id: id.to_owned(), name: name.to_owned(), selected })
        .into()
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
        resource: ResourceView { name: LINES.to_owned(), uri: format!("https://{}/mcp", long()) },
        scopes: vec![
            scope(SCRIPT, ATTRIBUTE, false),
            scope(&long(), &long(), true),
            scope("emoji", EMOJI, false),
            scope("bare:scope", " ", false),
        ],
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
