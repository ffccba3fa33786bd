//! Being told to stop.

use tokio::signal;

/// Done at the first SIGINT or SIGTERM. A second one ends the process at once, whatever is in flight.
pub(super) async fn requested() {
    wait().await;
    tracing::info!("stopping; a second signal stops at once");
    tokio::spawn(async {
        wait().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn wait() {
    let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
        let _ = signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait() {
    let _ = signal::ctrl_c().await;
}
