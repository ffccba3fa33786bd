//! What a browser shows: width, colours, targets, focus, and that the policy is kept.

use std::future::Future;
use std::pin::Pin;

use gatelet::pages;
use serde_json::Value;

use crate::browser::Browser;
use crate::site::Site;

/// Looks at one thing and answers with what is wrong with it.
pub(crate) type Case = Box<dyn for<'a> FnOnce(&'a Browser, &'a Site) -> Looking<'a> + Send>;
type Looking<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>>;

const WIDTHS: [u32; 4] = [320, 375, 768, 1280];
const MEASURE: &str = include_str!("measure.js");

/// One case for each sample, and one for the faulty page.
pub(crate) fn cases() -> Vec<(String, Case)> {
    let samples = pages::samples().into_iter().map(|sample| {
        let name = format!("browser::{}", sample.name);
        let case: Case = Box::new(move |browser, site| {
            Box::pin(async move { look_at(browser, &site.url(&sample.name)).await })
        });
        (name, case)
    });
    let faulty: Case = Box::new(|browser, site| Box::pin(faults_are_seen(browser, site)));
    samples.chain([("browser::a_faulty_page_is_found_faulty".to_owned(), faulty)]).collect()
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
    let mut complaints = strings(&stops["complaints"]);
    let mut reached = vec![false; names.len()];
    for _ in 0..2 * names.len() + 4 {
        if reached.iter().all(|&stop| stop) {
            break;
        }
        browser.tab().await?;
        let focus = browser.run(&format!("{MEASURE}\nreturn focus();")).await?;
        let stop = focus["stop"].as_u64().and_then(|stop| usize::try_from(stop).ok());
        if let Some(seen) = stop.and_then(|stop| reached.get_mut(stop)) {
            if !*seen {
                complaints.extend(strings(&focus["complaints"]));
            }
            *seen = true;
        }
    }
    let missed = reached.iter().zip(names).filter(|(reached, _)| !**reached);
    complaints.extend(missed.map(|(_, name)| format!("not reached by keyboard: {name}")));
    Ok(complaints)
}

/// Each look finds its fault: otherwise its silence elsewhere says nothing.
async fn faults_are_seen(browser: &Browser, site: &Site) -> Result<Vec<String>, String> {
    let found = look_at(browser, &site.url("faulty")).await?.join("\n");
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

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
