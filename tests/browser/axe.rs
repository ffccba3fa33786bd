//! The rules of axe-core, asked in the browser.

use std::path::Path;

use serde_json::Value;

use crate::looks::strings;
use crate::webdriver::Browser;

pub(crate) const NEEDS: &str = "not run, needs axe-core (tests/browser/install)";
const SOURCE: &str = "tests/browser/node_modules/axe-core/axe.min.js";
pub(crate) const WIDTHS: [u32; 5] = [320, 375, 768, 1280, 1920];

/// WCAG 2.0, 2.1 and 2.2 at levels A and AA, and what the field does beyond.
const ALL: &str =
    "{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }";
/// The rules whose answer can change with the width of the window.
const OF_LAYOUT: &str = "{ type: 'rule', values: ['color-contrast', 'target-size', 'link-in-text-block', 'scrollable-region-focusable'] }";
/// The rules whose answer can change with the colour scheme.
const OF_COLOUR: &str = "{ type: 'rule', values: ['color-contrast', 'link-in-text-block'] }";

/// What axe-core is: a script.
pub(crate) struct Axe(String);

impl Axe {
    pub(crate) fn load() -> Result<Self, &'static str> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SOURCE);
        std::fs::read_to_string(file).map(Self).map_err(|_| NEEDS)
    }

    /// What is wrong with the page, at every width and in both colour schemes.
    pub(crate) async fn complaints(&self, browser: &Browser) -> Result<Vec<String>, String> {
        browser.run(&self.0).await?;
        let mut found = Vec::new();
        for (scheme, rules) in [("light", OF_LAYOUT), ("dark", OF_COLOUR)] {
            browser.prefer(scheme).await?;
            for width in WIDTHS {
                browser.resize(width, 900).await?;
                let is_end = width == WIDTHS[0] || width == WIDTHS[4];
                let complaints = ask(browser, if is_end && scheme == "light" { ALL } else { rules }).await?;
                found.extend(complaints.iter().map(|text| format!("{width} px, {scheme}: {text}")));
            }
        }
        Ok(found)
    }
}

async fn ask(browser: &Browser, rules: &str) -> Result<Vec<String>, String> {
    let script = format!(
        "return axe.run(document, {{ runOnly: {rules}, resultTypes: ['violations'], preload: false }}).then((found) => \
         found.violations.flatMap((rule) => rule.nodes.map((node) => \
         `${{rule.id}}: ${{node.html.slice(0, 200)}} ${{node.failureSummary}}`)))"
    );
    let found: Value = browser.run(&script).await?;
    Ok(strings(&found))
}
