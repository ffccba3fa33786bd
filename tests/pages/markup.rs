//! What the pages' markup must and must not contain, whatever the names in it.

use std::collections::{BTreeMap, BTreeSet};

use gatelet::pages::{self, Sample};
use html5gum::{Token, Tokenizer};
use libtest_mimic::{Failed, Trial};

/// Every element that our templates use; another one came in with a name.
const ELEMENTS: &[&str] = &[
    "a", "aside", "bdi", "body", "button", "code", "dd", "details", "div", "dl", "dt", "fieldset", "form",
    "h1", "h2", "head", "header", "html", "img", "input", "label", "legend", "li", "link", "main", "meta",
    "ol", "p", "pre", "section", "span", "strong", "summary", "title", "ul",
];
const VOID: &[&str] = &["img", "input", "link", "meta"];

/// One case for each sample, and those that look at all or at none.
pub(crate) fn trials() -> Vec<Trial> {
    let samples = pages::samples();
    let names: BTreeSet<_> = samples.iter().map(|sample| sample.name.clone()).collect();
    let count = samples.len();
    let mut trials: Vec<_> = samples
        .into_iter()
        .map(|sample| Trial::test(format!("markup::{}", sample.name), move || none(faults(&sample))))
        .collect();
    trials.push(Trial::test("markup::every_sample_has_its_own_name", move || {
        if names.len() == count { Ok(()) } else { Err("two samples share a name".into()) }
    }));
    trials.push(Trial::test("markup::faults_are_found", faults_are_found));
    trials.push(Trial::test("markup::exposed_home_shows_no_secret", exposed_home_shows_no_secret));
    trials.push(Trial::test("markup::only_forms_that_lead_to_a_client_go_without_form_action", form_action));
    trials.push(Trial::test("markup::a_remembered_consent_sends_the_same_fields", same_fields));
    trials.push(Trial::test("markup::values_come_back_as_they_were_given", values_come_back));
    trials
}

struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
}

impl Tag {
    fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    fn is(&self, name: &str) -> bool {
        self.name == name
    }

    fn is_hidden(&self) -> bool {
        self.get("type") == Some("hidden")
    }
}

/// What is wrong with a page.
fn faults(sample: &Sample) -> Vec<String> {
    let mut faults = Vec::new();
    let (tags, text) = read(&sample.html, &mut faults);
    elements(&tags, &mut faults);
    structure(&tags, &mut faults);
    forms(&tags, &mut faults);
    if text.chars().any(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{0}')) {
        faults.push("text changes its direction".to_owned());
    }
    faults
}

/// The tags in order and the text, noting what a parser would stumble over.
fn read(html: &str, faults: &mut Vec<String>) -> (Vec<Tag>, String) {
    let (mut tags, mut text, mut open) = (Vec::new(), String::new(), Vec::new());
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let name = string(&tag.name);
                if !VOID.contains(&name.as_str()) {
                    open.push(name.clone());
                }
                let attributes =
                    tag.attributes.iter().map(|(name, value)| (string(name), string(&value.value))).collect();
                tags.push(Tag { name, attributes });
            }
            Token::EndTag(tag) => {
                let (name, expected) = (string(&tag.name), open.pop());
                if expected.as_deref() != Some(&name) {
                    faults.push(format!("</{name}> where {expected:?} is open"));
                }
            }
            Token::String(part) => text.push_str(&string(&part.value)),
            Token::Error(error) => faults.push(format!("parse error: {:?}", error.value)),
            Token::Comment(_) | Token::Doctype(_) => {}
        }
    }
    faults.extend(open.iter().map(|name| format!("<{name}> is not closed")));
    (tags, text)
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// No foreign element, nothing inline, nothing loaded from elsewhere.
fn elements(tags: &[Tag], faults: &mut Vec<String>) {
    let ours = [pages::stylesheet_path(), pages::logo_path()];
    for tag in tags {
        if !ELEMENTS.contains(&tag.name.as_str()) {
            faults.push(format!("foreign element <{}>", tag.name));
        }
        for (name, value) in &tag.attributes {
            let loads = matches!(name.as_str(), "src" | "srcset" | "poster" | "background")
                || (name == "href" && tag.is("link"));
            if name == "style" || name.starts_with("on") || (loads && !ours.contains(&value.as_str())) {
                faults.push(format!("<{}> has {name}={value}", tag.name));
            }
        }
    }
}

/// One title, one main, one heading of the first level; ids that are unique and found by who refers to them.
fn structure(tags: &[Tag], faults: &mut Vec<String>) {
    for name in ["h1", "main", "title"] {
        let count = tags.iter().filter(|tag| tag.is(name)).count();
        if count != 1 {
            faults.push(format!("{count} <{name}>"));
        }
    }
    if !tags.iter().any(|tag| tag.is("html") && tag.get("lang").is_some()) {
        faults.push("no language".to_owned());
    }
    let ids: Vec<_> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    if ids.len() != ids.iter().collect::<BTreeSet<_>>().len() {
        faults.push(format!("an id twice: {ids:?}"));
    }
    for tag in tags {
        for reference in ["for", "aria-labelledby", "aria-describedby"] {
            if let Some(id) = tag.get(reference).filter(|id| !ids.contains(id)) {
                faults.push(format!("{reference}={id} leads nowhere"));
            }
        }
    }
}

/// Every form is posted to a path of ours with a token; every control has a label.
fn forms(tags: &[Tag], faults: &mut Vec<String>) {
    let labels: Vec<_> = tags.iter().filter(|tag| tag.is("label")).filter_map(|tag| tag.get("for")).collect();
    for input in tags.iter().filter(|tag| tag.is("input") && !tag.is_hidden()) {
        if !input.get("id").is_some_and(|id| labels.contains(&id)) {
            faults.push(format!("no label for {:?}", input.attributes));
        }
    }
    let forms: Vec<_> = tags.iter().filter(|tag| tag.is("form")).collect();
    for form in &forms {
        let action = form.get("action").unwrap_or_default();
        if form.get("method") != Some("post") || !action.starts_with('/') || action.starts_with("//") {
            faults.push(format!("form {:?}", form.attributes));
        }
    }
    let tokens = tags.iter().filter(|tag| tag.is_hidden() && tag.get("name") == Some("csrf")).count();
    if tokens != forms.len() {
        faults.push(format!("{tokens} csrf tokens in {} forms", forms.len()));
    }
}

fn faults_are_found() -> Result<(), Failed> {
    let bad = Sample {
        name: "bad".to_owned(),
        html: "<html><title>x</title><h1>a</h1><h1>b</h1><script>1</script><p style='x' onclick=y id=a></p>\
               <img src=https://evil.example/x><form action=//evil.example><input name=q id=a></form>\u{202E}<b>"
            .to_owned(),
        status: 200,
        content_security_policy: "",
    };
    let found = faults(&bad).join("\n");
    let expected = [
        "foreign element <script>",
        "has style",
        "has onclick",
        "evil.example/x",
        "2 <h1>",
        "0 <main>",
        "no language",
        "an id twice",
        "no label",
        "form {",
        "0 csrf tokens in 1 forms",
        "changes its direction",
        "<b> is not closed",
    ];
    none(
        expected
            .iter()
            .filter(|fault| !found.contains(**fault))
            .map(|fault| format!("missed: {fault}"))
            .collect(),
    )
}

fn exposed_home_shows_no_secret() -> Result<(), Failed> {
    let html = |name: &str| {
        pages::samples().into_iter().find(|sample| sample.name == name).map(|sample| sample.html)
    };
    let (Some(plain), Some(exposed)) = (html("home-plain"), html("home-exposed")) else {
        return Err("the samples are gone".into());
    };
    for secret in ["alice-password", "dq8Zr2Yt5Lw9Xn3Kb7Vc1Hs4Gp6Jm0F"] {
        if !plain.contains(secret) || exposed.contains(secret) {
            return Err(format!("{secret} is shown to the wrong people").into());
        }
    }
    Ok(())
}

fn form_action() -> Result<(), Failed> {
    let wrong = pages::samples().into_iter().filter(|sample| {
        let leads_to_client = ["login-", "consent-", "logout-wanted", "logout-hostile"]
            .iter()
            .any(|name| sample.name.starts_with(name));
        sample.content_security_policy.contains("form-action 'self'") == leads_to_client
    });
    none(wrong.map(|sample| sample.name).collect())
}

/// What a form sends when nothing is touched: name and value of every input that is not an unticked box.
fn fields(sample: &str) -> BTreeSet<(String, String)> {
    let html = pages::samples().into_iter().find(|page| page.name == sample).map(|page| page.html);
    let (tags, _) = read(&html.unwrap_or_default(), &mut Vec::new());
    let inputs = tags.iter().filter(|tag| tag.is("input"));
    let sent = inputs.filter(|tag| {
        !matches!(tag.get("type"), Some("checkbox" | "radio")) || tag.attributes.contains_key("checked")
    });
    let text = |tag: &Tag, name| tag.get(name).unwrap_or_default().to_owned();
    sent.map(|tag| (text(tag, "name"), text(tag, "value"))).collect()
}

fn same_fields() -> Result<(), Failed> {
    let (whole, remembered) = (fields("consent-web-client"), fields("consent-remembered"));
    let expected = [
        ("scope", "https://notes.acme.example/mcp notes:read"),
        ("tenant", "acme"),
        ("interaction", "01jd7t"),
        ("csrf", "Y3NyZg"),
    ];
    let all_there =
        expected.iter().all(|(name, value)| whole.contains(&((*name).to_owned(), (*value).to_owned())));
    if all_there && whole == remembered { Ok(()) } else { Err(format!("{whole:?}\n{remembered:?}").into()) }
}

/// What is shown is cut and cleaned; what is sent is not.
fn values_come_back() -> Result<(), Failed> {
    let sent = fields("consent-hostile");
    let given = [
        ("interaction", "\"><img src=x onerror=alert(1)> '><b>"),
        ("csrf", "<script>alert(1)</script>"),
        ("scope", "https://notes.acme.example/mcp <script>alert(1)</script>"),
    ];
    none(
        given
            .iter()
            .filter(|(name, value)| !sent.contains(&((*name).to_owned(), (*value).to_owned())))
            .map(|(name, value)| format!("{name}={value} became something else: {sent:?}"))
            .collect(),
    )
}

fn none(faults: Vec<String>) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}
