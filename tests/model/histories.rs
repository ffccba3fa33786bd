//! Many histories, and what to say about one that shows a difference.

use std::fmt::Write as _;
use std::time::Instant;

use crate::coverage::Coverage;
use crate::draft::{self, Draft};
use crate::model::Rules;
use crate::playing::{Difference, play};
use crate::stage::Stage;
use crate::{Database, TALLY, cases};

cases![histories_agree_with_the_model, histories_agree_without_a_retry_window];

/// No two things end after the same time.
const RULES: Rules = Rules { code: 60, window: 40, idle: 1800, absolute: 2500, access: 900 };
const STRICT: Rules = Rules { window: 0, ..RULES };
/// Histories on one server; starting one costs as much as a few of them.
const SEATS: usize = 100;
/// So many repetitions of a difference are played, to leave out what it does not need.
const SHRINKING: usize = 120;

/// A row of histories, one after another, by the seeds from the first on.
#[derive(Clone, Copy)]
struct Row {
    first: u64,
    histories: usize,
    rules: Rules,
    name: &'static str,
}

async fn histories_agree_with_the_model(database: Database) {
    let plan = database.plan();
    let histories = plan.histories - plan.histories / 5;
    let name = "histories_agree_with_the_model";
    let row = Row { first: plan.seed, histories, rules: RULES, name };
    if let Database::Postgres(_) = database {
        return agreed(run(database, row).await);
    }
    // Two rows, each with servers of its own, because the clock of a server is one.
    let half = histories / 2;
    let first = Row { histories: histories - half, ..row };
    let second = Row { first: plan.seed + first.histories as u64, histories: half, ..row };
    let [first, second] = [first, second].map(|row| tokio::spawn(run(Database::Sqlite, row)));
    agreed(first.await.expect("the row ends"));
    agreed(second.await.expect("the row ends"));
}

async fn histories_agree_without_a_retry_window(database: Database) {
    let plan = database.plan();
    let histories = (plan.histories / 5).max(1);
    let name = "histories_agree_without_a_retry_window";
    agreed(run(database, Row { first: plan.seed, histories, rules: STRICT, name }).await);
}

fn agreed(outcome: Result<(), String>) {
    outcome.unwrap_or_else(|difference| panic!("{difference}"));
}

/// Plays a row. The error is a difference, and how to see it again.
async fn run(database: Database, row: Row) -> Result<(), String> {
    let (began, mut coverage) = (Instant::now(), Coverage::default());
    let seats = if let Database::Sqlite = database { SEATS.min(row.histories) } else { row.histories };
    let mut stage = None;
    for seed in row.first..row.first + row.histories as u64 {
        let mut ready = match stage.take().filter(Stage::has_seat) {
            Some(stage) => stage,
            None => Stage::new(&database, row.rules, seats).await,
        };
        let drafts = draft::history(seed);
        let telling = Telling { seed, row };
        let played = play(&mut ready, &drafts, &mut coverage).await;
        drop(telling);
        if let Err(difference) = played {
            let shortest = shortest(row.rules, drafts, difference).await;
            return Err(told(seed, row.name, &shortest));
        }
        stage = Some(ready);
    }
    let (histories, steps) = (coverage.histories, coverage.steps());
    let took = began.elapsed().as_secs();
    println!(
        "{}: {histories} histories, {steps} steps in {took} s, from seed {}",
        database.name(),
        row.first
    );
    TALLY.lock().expect("nobody panics while holding it").entry(database.name()).or_default().add(&coverage);
    Ok(())
}

/// Says which history it was that ended in a panic.
struct Telling {
    seed: u64,
    row: Row,
}

impl Drop for Telling {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", again(self.seed, self.row.name));
        }
    }
}

/// Leaves out draft after draft as long as there is still a difference. It is looked for on SQLite, where a server is made
/// in no time; what shows on PostgreSQL alone stays as it is.
async fn shortest(rules: Rules, mut drafts: Vec<Draft>, mut difference: Difference) -> Difference {
    drafts.truncate(difference.drafts);
    let mut stage = Stage::new(&Database::Sqlite, rules, SHRINKING).await;
    let mut at = drafts.len();
    while at > 0 && stage.has_seat() {
        at -= 1;
        let mut fewer = drafts.clone();
        fewer.remove(at);
        if let Err(smaller) = play(&mut stage, &fewer, &mut Coverage::default()).await {
            fewer.truncate(smaller.drafts);
            at = at.min(fewer.len());
            (drafts, difference) = (fewer, smaller);
        }
    }
    difference
}

fn told(seed: u64, name: &str, difference: &Difference) -> String {
    let mut text = String::from("server and model differ (second, request, answer):\n");
    for line in &difference.transcript {
        let _ = writeln!(text, "{line}");
    }
    text + &again(seed, name)
}

fn again(seed: u64, name: &str) -> String {
    format!("the same history again: cargo test --test model -- {name} --seed {seed} --histories 1")
}
