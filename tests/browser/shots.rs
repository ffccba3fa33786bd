//! Pictures of every sample, for people to look at.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatelet::pages;

use crate::stage::Stage;

const WIDTHS: [u32; 4] = [320, 768, 1280, 1920];

/// Writes `<sample>-<width>-<scheme>.png` for each sample whose name contains `part`, and answers with how many.
pub(crate) fn write(stage: &Stage, directory: &Path, part: &str) -> Result<usize, String> {
    std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    let mut written = 0;
    for sample in pages::samples().into_iter().filter(|sample| sample.name.contains(part)) {
        for width in WIDTHS {
            for scheme in ["light", "dark"] {
                let picture = stage.runtime.block_on(picture(stage, &sample.name, width, scheme))?;
                let file = directory.join(format!("{}-{width}-{scheme}.png", sample.name));
                std::fs::write(file, picture).map_err(|error| error.to_string())?;
                written += 1;
            }
        }
    }
    Ok(written)
}

async fn picture(stage: &Stage, sample: &str, width: u32, scheme: &str) -> Result<Vec<u8>, String> {
    let url = stage.samples.url(sample);
    let browser = &stage.browser;
    browser.resize(width, 900).await?;
    browser.prefer(scheme).await?;
    browser.open(&url).await?;
    STANDARD.decode(browser.picture().await?).map_err(|error| error.to_string())
}
