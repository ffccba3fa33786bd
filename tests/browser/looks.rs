//! What a browser shows: width, colours, targets, focus, and that the policy is kept.

use gatelet::pages;
use serde_json::Value;

use crate::Case;
use crate::axe::WIDTHS;
use crate::stage::Stage;
use crate::webdriver::Browser;

const MEASURE: &str = include_str!("measure.js");

/// Two cases for each sample, and two for the faulty page.
pub(crate) fn cases() -> Vec<(String, Case)> {
    let mut all: Vec<(String, Case)> = Vec::new();
    for sample in pages::samples() {
        let name = sample.name.clone();
        all.push((
            format!("looks::{name}"),
            Box::new(move |stage| {
                Box::pin(
                    async move { none(look_at(&stage.browser, &stage.samples.url(&sample.name)).await?) },
                )
            }),
        ));
        all.push((
            format!("axe::{name}"),
            Box::new(move |stage| Box::pin(async move { none(rules_broken(stage, &name).await?) })),
        ));
    }
    all.push((
        "looks::a_faulty_page_is_found_faulty".to_owned(),
        Box::new(|stage| Box::pin(async move { none(faults_are_seen(stage).await?) })),
    ));
    all.push((
        "axe::a_faulty_page_is_found_faulty".to_owned(),
        Box::new(|stage| Box::pin(async move { none(broken_rules_are_seen(stage).await?) })),
    ));
    all
}

fn none(complaints: Vec<String>) -> Result<(), String> {
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

/// What axe-core has to say about a sample.
async fn rules_broken(stage: &Stage, sample: &str) -> Result<Vec<String>, String> {
    let axe = stage.axe.as_ref().map_err(|why| (*why).to_owned())?;
    stage.browser.open(&stage.samples.url(sample)).await?;
    ask(&stage.browser, "unfold(); return [];").await?;
    let mut complaints = axe.complaints(&stage.browser).await?;
    complaints.extend(stage.browser.log().await?);
    Ok(complaints)
}

/// At every width, in both colour schemes, by every kind of rule.
async fn broken_rules_are_seen(stage: &Stage) -> Result<Vec<String>, String> {
    let found = rules_broken(stage, "faulty").await?;
    let of_layout = WIDTHS
        .iter()
        .flat_map(|width| ["light", "dark"].map(|scheme| format!("{width} px, {scheme}: color-contrast")));
    let once = ["label: ", "landmark-one-main: ", "page-has-heading-one: "].map(str::to_owned);
    Ok(of_layout
        .chain(once)
        .filter(|fault| !found.iter().any(|complaint| complaint.contains(fault)))
        .map(|fault| format!("missed: {fault}\n{}", found.join("\n")))
        .collect())
}

async fn look_at(browser: &Browser, url: &str) -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    browser.resize(WIDTHS[0], 800).await?;
    browser.open(url).await?;
    ask(browser, "unfold(); return [];").await?;
    for width in WIDTHS {
        browser.resize(width, 800).await?;
        complaints.extend(ask(browser, "return [...width(), ...targets(), ...squashed()];").await?);
    }
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await?;
        complaints
            .extend(ask(browser, "return colours();").await?.iter().map(|text| format!("{scheme}: {text}")));
        complaints.extend(focus_on_every_stop(browser).await?.iter().map(|text| format!("{scheme}: {text}")));
    }
    complaints.extend(browser.log().await?);
    Ok(complaints)
}

/// Walks through the page with the Tab key alone, twice round at most.
async fn focus_on_every_stop(browser: &Browser) -> Result<Vec<String>, String> {
    let stops = browser.run(&format!("{MEASURE}\nreturn stops();")).await?;
    let names = strings(&stops["names"]);
    browser.tab(2 * names.len() + 4).await?;
    let walked = browser.run("return window.walked;").await?;
    let seen = |stop: usize| walked.get(stop.to_string());
    let missed = names.iter().enumerate().filter(|(stop, _)| seen(*stop).is_none());
    let mut complaints = strings(&stops["complaints"]);
    complaints.extend(missed.map(|(_, name)| format!("not reached by keyboard: {name}")));
    complaints.extend((0..names.len()).filter_map(seen).flat_map(strings));
    Ok(complaints)
}

/// Each look finds its fault: otherwise its silence elsewhere says nothing.
async fn faults_are_seen(stage: &Stage) -> Result<Vec<String>, String> {
    let found = look_at(&stage.browser, &stage.samples.url("faulty")).await?.join("\n");
    let faults = [
        "px wide in a window",
        "light: text 2.8",
        "target of",
        "squashed to",
        "focus not seen",
        "Content Security Policy",
    ];
    Ok(faults
        .iter()
        .filter(|fault| !found.contains(**fault))
        .map(|fault| format!("missed: {fault}\n{found}"))
        .collect())
}

async fn ask(browser: &Browser, question: &str) -> Result<Vec<String>, String> {
    Ok(strings(&browser.run(&format!("{MEASURE}\n{question}")).await?))
}

pub(crate) fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
