//! SQLite's one writer: a task that owns the writing connection.
//!
//! SQLite takes one writer at a time; connections that compete for it meet `SQLITE_BUSY`, and with
//! `synchronous=FULL` each transaction waits for the disk. So verbs queue here. The writer takes all that wait (up
//! to [`BATCH`]), gives each a savepoint, commits once, and answers only then: a verb that fails or loses takes back
//! its own savepoint and nobody else's, and a commit that fails has failed for everyone in it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::backend::{Running, Tx, Verb};
use super::{ACQUIRE_TIMEOUT, StoreError};

/// Verbs that share one commit at most.
const BATCH: usize = 64;
/// Verbs that may wait; who comes later waits for a place, and not for long.
const QUEUE: usize = 1024;

/// The handle by which verbs reach the writer. When the last one goes, the writer ends.
pub(super) struct Writer(mpsc::Sender<Message>);

enum Message {
    Verb(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the task on a connection that has already been opened with `options`; `folds` says whether its end folds
    /// the write-ahead log into the file.
    pub(super) fn start(options: SqliteConnectOptions, connection: SqliteConnection, folds: bool) -> Self {
        let (sender, messages) = mpsc::channel(QUEUE);
        tokio::spawn(Task { messages, options, connection: Some(connection), folds }.run());
        Self(sender)
    }

    /// Queues a verb and waits until what it did is on disk.
    pub(super) async fn write<A, T>(&self, verb: Verb<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending { verb, outcome: Err(StoreError::Unavailable), reply });
        self.0
            .send_timeout(Message::Verb(job), ACQUIRE_TIMEOUT)
            .await
            .map_err(|_| StoreError::Unavailable)?;
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Ends the task after the verbs that wait already.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Message::Close(done)).await.is_ok() {
            // An error means that the task has ended already, which is what was asked for.
            let _ = closed.await;
        }
    }
}

/// A verb that waits, with its types hidden.
trait Job: Send {
    /// Runs the verb within its savepoint and tells whether to keep what it wrote.
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> Running<'t, bool>;
    /// Tells the one who asked.
    fn answer(self: Box<Self>, committed: bool);
}

struct Pending<A, T> {
    verb: Verb<A, T>,
    outcome: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<A: Send + Sync, T: Send> Job for Pending<A, T> {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> Running<'t, bool> {
        Box::pin(async move {
            self.outcome = (self.verb.run)(tx, &self.verb.args).await;
            Ok(self.outcome.as_ref().is_ok_and(self.verb.keep))
        })
    }

    fn answer(self: Box<Self>, committed: bool) {
        let outcome = if committed { self.outcome } else { Err(StoreError::Unavailable) };
        // Whoever asked may have hung up; the verb is done all the same.
        let _ = self.reply.send(outcome);
    }
}

struct Task {
    messages: mpsc::Receiver<Message>,
    options: SqliteConnectOptions,
    /// None after a failure: the next batch opens a new one.
    connection: Option<SqliteConnection>,
    folds: bool,
}

impl Task {
    async fn run(mut self) {
        let mut waiting = Vec::with_capacity(BATCH);
        let mut closers = Vec::new();
        while self.messages.recv_many(&mut waiting, BATCH).await > 0 {
            let mut batch = Vec::with_capacity(waiting.len());
            for message in waiting.drain(..) {
                match message {
                    Message::Verb(job) => batch.push(job),
                    Message::Close(done) => {
                        self.messages.close();
                        closers.push(done);
                    }
                }
            }
            let committed = batch.is_empty() || self.commit(&mut batch).await;
            for job in batch {
                job.answer(committed);
            }
        }
        self.end().await;
        for done in closers {
            let _ = done.send(());
        }
    }

    /// Runs a batch in one transaction. After any failure of the transaction itself the connection is dropped,
    /// which rolls back whatever it held.
    async fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> bool {
        let done = self.attempt(batch).await;
        if let Err(error) = &done {
            tracing::error!(%error, verbs = batch.len(), "SQLite could not commit");
            self.connection = None;
        }
        done.is_ok()
    }

    async fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            broken => broken.insert(self.options.connect().await?),
        };
        // A batch of one needs no savepoint: the transaction is its own.
        if let [job] = batch {
            tell(connection, "BEGIN IMMEDIATE").await?;
            let keep = run_guarded(job.as_mut(), connection).await?;
            return tell(connection, if keep { "COMMIT" } else { "ROLLBACK" }).await;
        }
        tell(connection, "BEGIN IMMEDIATE; SAVEPOINT verb").await?;
        for job in batch {
            let keep = run_guarded(job.as_mut(), connection).await?;
            // ROLLBACK TO leaves the savepoint open and empty, ready for the next verb.
            tell(connection, if keep { "RELEASE verb; SAVEPOINT verb" } else { "ROLLBACK TO verb" }).await?;
        }
        tell(connection, "RELEASE verb; COMMIT").await
    }

    /// Folds the write-ahead log into the file, so that the file alone is the database.
    async fn end(self) {
        let Some(mut connection) = self.connection else { return };
        let folded = match self.folds {
            true => tell(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await,
            false => Ok(()),
        };
        if let Err(error) = folded.and(connection.close().await) {
            tracing::warn!(%error, "SQLite was not closed cleanly");
        }
    }
}

async fn tell(connection: &mut SqliteConnection, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(text).execute(connection).await.map(drop)
}

/// Runs one verb. One that panics must not take the writer with it: its batch fails and the connection is replaced.
async fn run_guarded(job: &mut dyn Job, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let mut tx = Tx::Sqlite(connection);
    let mut running = pin!(job.run(&mut tx));
    let ended = std::future::poll_fn(|context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(keep)) => Poll::Ready(keep.ok()),
            Err(_) => Poll::Ready(None),
        }
    });
    ended.await.ok_or(sqlx::Error::WorkerCrashed)
}

#[cfg(test)]
mod tests;
