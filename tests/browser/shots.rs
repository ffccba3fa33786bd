//! Pictures of every sample, for people to look at.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatelet::pages;

use crate::Stage;

const SIZES: [(&str, u32, u32); 2] = [("desktop", 1280, 800), ("phone", 390, 844)];

/// Writes `<sample>-<size>-<scheme>.png` for each sample and answers with how many.
pub(crate) fn write(stage: &Stage, directory: &Path) -> Result<usize, String> {
    std::fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    let mut written = 0;
    for sample in pages::samples() {
        for (size, width, height) in SIZES {
            for scheme in ["light", "dark"] {
                let picture =
                    stage.runtime.block_on(picture(stage, &sample.name, (width, height), scheme))?;
                let file = directory.join(format!("{}-{size}-{scheme}.png", sample.name));
                std::fs::write(file, picture).map_err(|error| error.to_string())?;
                written += 1;
            }
        }
    }
    Ok(written)
}

async fn picture(stage: &Stage, sample: &str, size: (u32, u32), scheme: &str) -> Result<Vec<u8>, String> {
    let url = stage.site.url(sample);
    let browser = &stage.browser;
    browser.resize(size.0, size.1).await?;
    browser.prefer(scheme).await?;
    browser.open(&url).await?;
    STANDARD.decode(browser.picture().await?).map_err(|error| error.to_string())
}
