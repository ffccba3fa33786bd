//! The case: bursts, kills, restarts and what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use gatelet::random::Random;

use crate::http::Wire;
use crate::ledger::Writer;
use crate::operator::Operator;
use crate::server::Server;
use crate::snapshot::{Snapshot, await_end, backends};
use crate::tally::Tally;
use crate::{Database, PLAN, Plan, cases, invariants};

cases![nothing_acknowledged_is_lost_and_nothing_is_half_done];

const WRITERS: usize = 8;
/// When the kill comes, in microseconds after the start of a burst.
const KILL: std::ops::Range<usize> = 5_000..50_000;

async fn nothing_acknowledged_is_lost_and_nothing_is_half_done(database: Database) {
    let plan = *PLAN.get().expect("set by main");
    let kind = if matches!(database, Database::Sqlite) { "SQLite" } else { "PostgreSQL" };
    println!("{kind}: seed {}", plan.seed);
    let began = Instant::now();
    let people: Vec<String> = (0..WRITERS).map(|number| format!("writer-{number}")).collect();
    let server = Server::configured(database, &people);
    let writers = (1..).zip(people).map(|(number, person)| Writer::new(person, plan.seed ^ (number << 32)));
    let (writers, operator) = (writers.collect(), Operator::new(!plan.seed));
    let mut run = Run { server, writers, operator, starts: Vec::new(), in_flight: Vec::new() };
    run.through(plan).await;
    println!("{kind}: {}", run.report(plan, began.elapsed()));
    let hits = run.in_flight.iter().filter(|count| **count > 0).count();
    assert!(hits * 5 >= plan.kills * 4, "{hits} of {} kills met an operation in flight", plan.kills);
}

struct Run {
    server: Server,
    writers: Vec<Writer>,
    operator: Operator,
    /// How long each start took.
    starts: Vec<Duration>,
    /// For each kill, how many operations were sent before it and never answered.
    in_flight: Vec<usize>,
}

impl Run {
    /// Kills as often as planned, and looks at everything after each restart.
    async fn through(&mut self, plan: Plan) {
        let moments = Random::seeded(plan.seed);
        let mut wire = self.start().await;
        let keys = Snapshot::of(&self.server.database_url).await.keys;
        assert!(!keys.is_empty());
        for _ in 0..plan.kills {
            each(&mut self.writers, &wire, |mut writer, wire| async move {
                writer.prepare(&wire).await;
                writer
            })
            .await;
            let chance = usize::try_from(u32::from_be_bytes(moments.bytes())).unwrap();
            let moment = KILL.start + chance % KILL.len();
            self.operator.begin(&self.server).await;
            let left_over = self.burst(&wire, Duration::from_micros(moment.try_into().unwrap())).await;
            wire = self.start().await;
            await_end(&self.server.database_url, &left_over).await;
            let there = self.look(&wire).await;
            assert!(keys.iter().all(|key| there.contains(key)), "{keys:?} became {there:?}");
        }
        let jwks = wire.get("/oauth/jwks", None).await.answer().expect("the keys").json();
        each(&mut self.writers, &wire, move |mut writer, wire| {
            let jwks = jwks.clone();
            async move {
                writer.use_up(&wire, &jwks).await;
                writer
            }
        })
        .await;
        self.look(&wire).await;
        let log = self.server.log();
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    }

    async fn start(&mut self) -> Wire {
        let (wire, took) = self.server.start().await;
        self.starts.push(took);
        wire
    }

    /// Lets everybody write, and kills the server after a while. Returns what the database is still doing for it.
    async fn burst(&mut self, wire: &Wire, moment: Duration) -> Vec<String> {
        let (killed, ready) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(WRITERS + 1)));
        let mut writing = JoinSet::new();
        for mut writer in self.writers.drain(..) {
            let (wire, killed, ready) = (wire.clone(), killed.clone(), ready.clone());
            writing.spawn(async move {
                ready.wait().await;
                writer.write(&wire, &killed).await;
                writer
            });
        }
        ready.wait().await;
        tokio::time::sleep(moment).await;
        let kill = Instant::now();
        self.server.kill();
        killed.store(true, Ordering::SeqCst);
        let command_met = self.operator.kill();
        let left_over = backends(&self.server.database_url).await;
        self.writers = writing.join_all().await;
        let met =
            |writer: &&Writer| writer.unanswered.as_ref().is_some_and(|operation| operation.since < kill);
        self.in_flight.push(self.writers.iter().filter(met).count() + usize::from(command_met));
        left_over
    }

    /// Looks at everything that was acknowledged and at what was not answered. Returns the keys.
    async fn look(&mut self, wire: &Wire) -> Vec<String> {
        let url = &self.server.database_url;
        assert_eq!(invariants::damage(url).await, [""; 0]);
        let rows = Arc::new(Snapshot::of(url).await);
        assert_eq!(rows.contradictions(), [""; 0]);
        let jwks = wire.get("/oauth/jwks", None).await.answer().expect("the keys").json();
        self.operator.look(wire, &rows, &jwks).await;
        let keys = rows.keys.clone();
        each(&mut self.writers, wire, move |mut writer, wire| {
            let (rows, jwks) = (rows.clone(), jwks.clone());
            async move {
                writer.compare(&rows);
                writer.settle(&wire, &rows).await;
                writer.use_all(&wire, &jwks).await;
                writer
            }
        })
        .await;
        keys
    }

    fn report(&mut self, plan: Plan, took: Duration) -> String {
        let mut sum = Tally::default();
        self.writers.iter().for_each(|writer| sum.add(&writer.tally));
        sum.add(self.operator.tally());
        self.starts.sort();
        let Plan { kills, seed } = plan;
        let hits = self.in_flight.iter().filter(|count| **count > 0).count();
        let (median, longest) = (self.starts[self.starts.len() / 2], self.starts[self.starts.len() - 1]);
        format!(
            "{kills} kills (seed {seed}) in {:.0} s, {WRITERS} writers; {hits} kills met operations in flight, {} in \
             all\n  ready again after {} ms (median), {} ms (longest)\n{sum}",
            took.as_secs_f64(),
            self.in_flight.iter().sum::<usize>(),
            median.as_millis(),
            longest.as_millis(),
        )
    }
}

/// Has all writers do the same at once.
async fn each<F: Future<Output = Writer> + Send + 'static>(
    writers: &mut Vec<Writer>,
    wire: &Wire,
    what: impl Fn(Writer, Wire) -> F,
) {
    let mut doing = JoinSet::new();
    for writer in writers.drain(..) {
        doing.spawn(what(writer, wire.clone()));
    }
    *writers = doing.join_all().await;
}
