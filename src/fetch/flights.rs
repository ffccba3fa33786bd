//! Callers who want the same thing at the same time share one fetch of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{FetchError, Fetched};

type Outcome = Result<Fetched, FetchError>;
type Wanted = (String, usize);
type Landing = watch::Receiver<Option<Outcome>>;

/// What is being fetched, by URL and the most that may come of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Wanted, Landing>>>);

impl Flights {
    /// The outcome of the fetch of `url` that is under way, or else of a new one. It runs in a task of its own, so that
    /// a caller who goes away takes nothing from the others; nothing is kept once it has ended.
    pub(super) async fn join<F>(&self, url: &str, longest: usize, fetch: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let wanted = (url.to_owned(), longest);
        let mut landing = {
            let mut flights = self.lock();
            match flights.get(&wanted) {
                Some(landing) => landing.clone(),
                None => {
                    let (sender, landing) = watch::channel(None);
                    flights.insert(wanted.clone(), landing.clone());
                    let flight = Flight { flights: self.clone(), wanted };
                    let fetching = fetch();
                    tokio::spawn(async move {
                        let outcome = {
                            let _flight = flight;
                            fetching.await
                        };
                        // Nobody may be waiting any more.
                        let _ = sender.send(Some(outcome));
                    });
                    landing
                }
            }
        };
        let landed = landing.wait_for(Option::is_some).await;
        landed.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(FetchError::BrokenOff))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Wanted, Landing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes itself off the list at its end, be it a panic.
struct Flight {
    flights: Flights,
    wanted: Wanted,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.wanted);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    const URL: &str = "https://client.example/id.json";

    async fn no_second_fetch() -> Outcome {
        panic!("a second fetch")
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_takes_nothing_from_the_others() {
        let flights = Flights::default();
        let (begun, begins) = oneshot::channel::<()>();
        let (land, lands) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let flights = flights.clone();
            let fetching = async move {
                begun.send(()).unwrap();
                lands.await.unwrap();
                Err(FetchError::TooLarge(1))
            };
            async move { flights.join(URL, 1, || fetching).await }
        });
        begins.await.unwrap();
        first.abort();
        let (second, third, ()) = tokio::join!(
            flights.join(URL, 1, no_second_fetch),
            flights.join(URL, 1, no_second_fetch),
            async { land.send(()).unwrap() }
        );
        assert_eq!(
            (second.unwrap_err(), third.unwrap_err()),
            (FetchError::TooLarge(1), FetchError::TooLarge(1))
        );
        assert!(first.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_fetch_that_ended_not_even_by_a_panic() {
        let flights = Flights::default();
        let broken = flights.join(URL, 1, || async { panic!("on purpose") }).await;
        assert_eq!(broken.unwrap_err(), FetchError::BrokenOff);
        for status in [500, 501] {
            let outcome = flights.join(URL, 1, || async move { Err(FetchError::Status(status)) }).await;
            assert_eq!(outcome.unwrap_err(), FetchError::Status(status));
        }
        assert!(flights.lock().is_empty());
    }
}
