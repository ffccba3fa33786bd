//! What fetching costs us and others, at most (SEP-991: outgoing fetches are limited).

use std::sync::Arc;
use std::time::Duration;

use gatelet::clock::Clock;
use gatelet::fetch::{FetchError, FetchOptions};
use libtest_mimic::Trial;
use tokio::sync::Semaphore;

use crate::peer::{Manners, Peer, fetcher, json, loopback_options, on_loopback};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_host_is_asked_ten_times_a_minute,
        eight_fetches_run_at_once_and_the_ninth_waits,
        who_waits_for_a_turn_until_the_deadline_is_told_that_it_was_us,
        who_wants_the_same_at_the_same_time_shares_one_fetch,
    ]
}

async fn a_host_is_asked_ten_times_a_minute() {
    let peer = Peer::start(Manners::answer(json(b"{}"))).await;
    let clock = Clock::fixed(Clock::system().now());
    let fetcher = fetcher(FetchOptions { clock: clock.clone(), ..loopback_options() });
    for number in 0..10 {
        fetcher.json(&peer.url(&format!("/{number}"))).await.unwrap();
    }
    let refused = fetcher.clone().json(&peer.url("/10")).await.unwrap_err();
    assert_eq!(refused, FetchError::Budget);
    assert!(refused.is_our_limit());
    assert_eq!(peer.connections(), 10);
    let other = peer.url("/").replace("127.0.0.1", "localhost");
    assert!(fetcher.json(&other).await.is_ok(), "another name has its own budget");
    clock.advance(Duration::from_secs(6));
    assert!(fetcher.json(&peer.url("/11")).await.is_ok());
    assert_eq!(fetcher.json(&peer.url("/12")).await.unwrap_err(), FetchError::Budget);
    assert_eq!(peer.connections(), 12);
}

async fn eight_fetches_run_at_once_and_the_ninth_waits() {
    let gate = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners::answer(json(b"{}")).gated(gate.clone())).await;
    let other = Peer::start(Manners::answer(json(b"{}"))).await;
    let fetcher = on_loopback();
    let fetch = |url: String| {
        let fetcher = fetcher.clone();
        tokio::spawn(async move { fetcher.json(&url).await })
    };
    let eight: Vec<_> = (0..8).map(|number| fetch(peer.url(&format!("/{number}")))).collect();
    while peer.requests().len() < 8 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ninth = fetch(other.url("/"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(other.connections(), 0, "eight at once, whatever their hosts");
    gate.add_permits(1);
    assert!(ninth.await.unwrap().is_ok());
    gate.add_permits(7);
    for fetch in eight {
        fetch.await.unwrap().unwrap();
    }
}

async fn who_waits_for_a_turn_until_the_deadline_is_told_that_it_was_us() {
    let never = Arc::new(Semaphore::new(0));
    let peers = [
        Peer::start(Manners::answer(json(b"{}")).gated(never.clone())).await,
        Peer::start(Manners::answer(json(b"{}")).gated(never)).await,
    ];
    let fetcher = fetcher(FetchOptions { deadline: Duration::from_millis(300), ..loopback_options() });
    let urls = (0..12).map(|number| {
        let url = peers[number % 2].url(&format!("/{number}"));
        // Two names, so that it is not the budget.
        if number % 2 == 0 { url } else { url.replace("127.0.0.1", "localhost") }
    });
    let fetches: Vec<_> = urls
        .map(|url| {
            let fetcher = fetcher.clone();
            tokio::spawn(async move { fetcher.json(&url).await.unwrap_err() })
        })
        .collect();
    let mut errors = Vec::new();
    for fetch in fetches {
        errors.push(fetch.await.unwrap());
    }
    assert_eq!(errors[..8], vec![FetchError::TimedOut; 8]);
    assert_eq!(errors[8..], vec![FetchError::Busy; 4]);
    assert!(FetchError::Busy.is_our_limit() && !FetchError::TimedOut.is_our_limit());
}

async fn who_wants_the_same_at_the_same_time_shares_one_fetch() {
    let gate = Arc::new(Semaphore::new(0));
    let peer = Peer::start(Manners::answer(json(b"{}")).gated(gate.clone())).await;
    let fetcher = on_loopback();
    let fetch = |path: &str| {
        let (fetcher, url) = (fetcher.clone(), peer.url(path));
        tokio::spawn(async move { fetcher.json(&url).await })
    };
    let callers: Vec<_> = (0..20).map(|_| fetch("/id.json")).collect();
    let other = fetch("/other.json");
    while peer.requests().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.add_permits(2);
    for caller in callers {
        assert_eq!(&caller.await.unwrap().unwrap().body[..], b"{}");
    }
    other.await.unwrap().unwrap();
    assert_eq!(peer.connections(), 2);
    gate.add_permits(1);
    fetch("/id.json").await.unwrap().unwrap();
    assert_eq!(peer.connections(), 3, "a fetch that has ended is not handed out again");
}
