//! Guessing passwords.

use gatelet::protocol::Timestamp;
use gatelet::store::Outcome;

use crate::world::*;
use crate::{Database, cases};

cases![
    a_name_rests_after_wrong_passwords_in_a_row,
    the_right_password_forgets_the_wrong_ones,
    a_right_guess_is_not_taken_while_the_name_rests,
    an_hour_without_a_failure_forgets_them,
    of_32_guesses_at_once_five_are_answered,
];

const NAME: &str = "tag of a name";

async fn fails(world: &World, at: Timestamp) -> Outcome {
    world.store.count_login_failure(NAME.to_owned(), at).await.unwrap()
}

async fn succeeds(world: &World, at: Timestamp) -> Outcome {
    world.store.forget_login_failures(NAME.to_owned(), at).await.unwrap()
}

async fn rests_until(world: &World, at: Timestamp) -> Option<Timestamp> {
    world.store.login_rests_until(NAME, at).await.unwrap()
}

async fn a_name_rests_after_wrong_passwords_in_a_row(database: Database) {
    // OWASP ASVS 6.3.1
    let world = World::new(database).await;
    for _ in 0..5 {
        assert_eq!(rests_until(&world, NOW).await, None);
        assert_eq!(fails(&world, NOW).await, Outcome::Won(()));
    }
    let mut now = NOW;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let until = now.plus(std::time::Duration::from_secs(seconds));
        assert_eq!(rests_until(&world, now).await, Some(until), "{seconds}");
        assert_eq!(fails(&world, now).await, Outcome::Lost);
        assert_eq!(rests_until(&world, now).await, Some(until), "a guess that is not answered costs nothing");
        now = until;
        assert_eq!(rests_until(&world, now).await, None);
        assert_eq!(fails(&world, now).await, Outcome::Won(()));
    }
    assert_eq!(world.store.login_rests_until("another", NOW).await.unwrap(), None);
}

async fn the_right_password_forgets_the_wrong_ones(database: Database) {
    let world = World::new(database).await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(fails(&world, NOW).await, Outcome::Won(()));
        }
        assert_eq!(succeeds(&world, NOW).await, Outcome::Won(()));
    }
    assert_eq!(rests_until(&world, NOW).await, None);
    assert_eq!(world.database.count("login_failures").await, 0);
}

async fn a_right_guess_is_not_taken_while_the_name_rests(database: Database) {
    // It was under way when the name began to rest; taking it would tell that it is right.
    let world = World::new(database).await;
    for _ in 0..5 {
        assert_eq!(fails(&world, NOW).await, Outcome::Won(()));
    }
    assert_eq!(succeeds(&world, NOW).await, Outcome::Lost);
    assert_eq!(rests_until(&world, NOW).await, Some(later(1)), "and nothing is forgotten");
    assert_eq!(succeeds(&world, later(1)).await, Outcome::Won(()));
}

async fn an_hour_without_a_failure_forgets_them(database: Database) {
    let world = World::new(database).await;
    for seconds in [0, 1, 2, 3, 3602, 3603 + 3600, 3604 + 3600] {
        assert_eq!(fails(&world, later(seconds)).await, Outcome::Won(()));
    }
    // The fifth came in time, the sixth an hour later.
    let failures = world.database.texts("SELECT CAST(failures AS TEXT) FROM login_failures").await;
    assert_eq!(failures, ["2"]);
}

async fn of_32_guesses_at_once_five_are_answered(database: Database) {
    // All of them were looked at; the guard is in the WHERE.
    let world = World::new(database).await;
    let outcomes = race(|_| {
        let world = world.clone();
        async move { fails(&world, NOW).await }
    })
    .await;
    assert_eq!(winners(&outcomes), 5);
    assert_eq!(rests_until(&world, NOW).await, Some(later(1)));
}
