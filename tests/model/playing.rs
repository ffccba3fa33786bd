//! One history against the server and the model at once.

use crate::coverage::Coverage;
use crate::draft::{Draft, Known, Step};
use crate::model::{Answer, Model, Request, Verdict};
use crate::player::Player;
use crate::stage::Stage;

/// Where the two differ.
pub(crate) struct Difference {
    /// How many drafts were played, the one that shows it included.
    pub(crate) drafts: usize,
    /// What happened, line by line.
    pub(crate) transcript: Vec<String>,
}

/// A history in the middle. Where two requests were on their way at once, the model does not know which came first: then
/// it is several, of which each answer rules some out.
struct Game<'a> {
    player: Player<'a>,
    stage: &'a Stage,
    models: Vec<Model>,
    requests: usize,
    start: i64,
    transcript: Vec<String>,
    coverage: &'a mut Coverage,
}

/// Plays drafts on a seat of its own.
///
/// # Errors
/// When the server answers what the model does not predict.
pub(crate) async fn play(
    stage: &mut Stage,
    drafts: &[Draft],
    coverage: &mut Coverage,
) -> Result<(), Difference> {
    let seat = stage.seat();
    let start = stage.now();
    let mut game = Game {
        player: Player::new(stage, seat),
        stage,
        models: vec![Model::new(stage.rules, start)],
        requests: 0,
        start,
        transcript: Vec::new(),
        coverage,
    };
    for (number, draft) in drafts.iter().enumerate() {
        let steps = draft.settle(&game.known());
        let look = |game: &Game<'_>| draft.look(&game.known()).map(Step::Ask);
        for step in steps {
            if !game.step(step).await {
                return Err(Difference { drafts: number + 1, transcript: game.transcript });
            }
        }
        if let Some(look) = look(&game)
            && !game.step(look).await
        {
            return Err(Difference { drafts: number + 1, transcript: game.transcript });
        }
    }
    game.coverage.histories += 1;
    let is_whole = game.models[0].suspended().is_empty() && !game.player.has_failed_to_log_in();
    let seat = game.player.seat;
    if is_whole {
        stage.leave(seat);
    }
    Ok(())
}

impl Game<'_> {
    fn known(&self) -> Known<'_> {
        let model = &self.models[0];
        Known {
            grants: &self.player.grants,
            alive: model.alive(),
            suspended: model.suspended(),
            access: self.player.access_tokens(),
            now: model.now,
            ends: model.ends().into_iter().collect(),
        }
    }

    /// Whether server and model still agree.
    async fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Ask(request) => self.ask(request).await.is_some(),
            Step::Race(first, second) => self.race([first, second]).await,
            Step::Wait(until) => {
                self.wait(until);
                true
            }
            Step::Repeat(request, times) => {
                for _ in 0..times {
                    match self.ask(request).await {
                        Some(Answer::Refused(..)) => return true,
                        Some(_) => {}
                        None => return false,
                    }
                }
                true
            }
        }
    }

    fn wait(&mut self, until: i64) {
        let ends = self.models[0].ends();
        let where_to =
            [(until + 1, "to the last second"), (until, "to the end"), (until - 1, "past the end")];
        for (_, words) in where_to.iter().filter(|(end, _)| ends.contains(end)) {
            self.coverage.count("wait", words);
        }
        self.stage.wait(until);
        self.models.iter_mut().for_each(|model| model.now = until);
        self.note(&format!("wait until {}", until - self.start));
    }

    /// The answer, if the model predicts it.
    async fn ask(&mut self, request: Request) -> Option<Answer> {
        let number = self.number();
        let raw = self.player.send(&request).await;
        let answer = self.player.read(number, &request, raw);
        self.note(&format!("{request:?}\n      {answer:?}"));
        let (mut predicted, mut left) = (Vec::new(), Vec::new());
        for mut model in self.models.drain(..) {
            let verdict = model.answer(number, &request);
            if verdict.0 == answer {
                left.push(model);
            }
            predicted.push(verdict);
        }
        self.models = left;
        self.keep(&request, &predicted, std::slice::from_ref(&answer)).then_some(answer)
    }

    /// Both orders are right, if the answers are those of one of them.
    async fn race(&mut self, requests: [Request; 2]) -> bool {
        let numbers = [self.number(), self.number()];
        let raws = tokio::join!(self.player.send(&requests[0]), self.player.send(&requests[1]));
        let answers = [
            self.player.read(numbers[0], &requests[0], raws.0),
            self.player.read(numbers[1], &requests[1], raws.1),
        ];
        self.note(&format!("at once {requests:?}\n      {answers:?}"));
        let (mut predicted, mut left) = (Vec::new(), Vec::new());
        for model in self.models.drain(..) {
            for [first, second] in [[0, 1], [1, 0]] {
                let pair = [first, second].map(|at| (numbers[at], &requests[at], &answers[at]));
                left.extend(model.answers_in_order(pair, &mut predicted));
            }
        }
        left.dedup();
        self.models = left;
        let kinds = requests.map(|request| operation(&request));
        self.coverage.count("two at once", &kinds.join(", "));
        self.keep(&requests[0], &predicted, &answers)
    }

    /// Counts what occurred, or tells the difference.
    fn keep(&mut self, request: &Request, predicted: &[Verdict], answers: &[Answer]) -> bool {
        if self.models.is_empty() {
            let predicted: Vec<_> =
                predicted.iter().map(|(answer, why)| format!("{answer:?} ({why})")).collect();
            self.transcript.push(format!("      predicted: {}", predicted.join(" or ")));
            return false;
        }
        if let [answer] = answers
            && let Some((_, why)) = predicted.iter().find(|(predicted, _)| predicted == answer)
        {
            self.coverage.count(operation(request), why);
        }
        true
    }

    fn number(&mut self) -> usize {
        self.requests += 1;
        self.requests
    }

    /// What is repeated stands there once.
    fn note(&mut self, what: &str) {
        let at = self.stage.now() - self.start;
        let line = format!("{at:>5} {what}");
        if self.transcript.last() != Some(&line) {
            self.transcript.push(line);
        }
    }
}

fn operation(request: &Request) -> &'static str {
    match request {
        Request::Issue { .. } => "issue",
        Request::Redeem { .. } => "redeem",
        Request::Refresh { .. } => "refresh",
        Request::Introspect(..) => "introspect",
        Request::Revoke(..) => "revoke",
        Request::Suspend(_) => "suspend",
        Request::Resume(_) => "resume",
        Request::RotateKey | Request::RevokeKey => "key",
        Request::Sweep => "sweep",
    }
}
