//! Histories: drawn from a seed, as drafts that mean something after any others, so that a history from which some are
//! left out is a history too.

use crate::model::{Ask, Asker, By, Party, REPEATS, Request, TENANT_OF, Token};

/// Chance that is the same for the same seed (SplitMix64).
#[derive(Clone, Copy)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("less than a usize")
    }

    /// True `times` in `of`.
    fn one(&mut self, times: usize, of: usize) -> bool {
        self.below(of) < times
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Issue,
    Redeem,
    Refresh,
    Race,
    Wait,
    Repeat,
    Guess,
    Tend,
    Suspend,
    Resume,
    Revoke,
    Key,
    Sweep,
}

/// How often each kind is drawn.
const WEIGHTS: &[(Kind, usize)] = &[
    (Kind::Issue, 12),
    (Kind::Redeem, 24),
    (Kind::Refresh, 40),
    (Kind::Race, 10),
    (Kind::Wait, 16),
    (Kind::Guess, 3),
    (Kind::Tend, 5),
    (Kind::Suspend, 3),
    (Kind::Resume, 5),
    (Kind::Revoke, 8),
    (Kind::Key, 2),
    (Kind::Sweep, 2),
];

/// Something to do, of which the details are settled when it is done.
#[derive(Clone, Copy)]
pub(crate) struct Draft {
    kind: Kind,
    dice: Dice,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Ask(Request),
    /// Both at once.
    Race(Request, Request),
    /// The clock is set to this second.
    Wait(i64),
    /// The same request so many times, as long as it is answered alike.
    Repeat(Request, u32),
}

/// What the details depend on.
pub(crate) struct Known<'a> {
    /// User and client of each grant, and the newest of its refresh tokens.
    pub(crate) grants: &'a [(usize, usize, Option<u32>)],
    /// Those that may still be good for something.
    pub(crate) alive: Vec<usize>,
    /// Who is suspended.
    pub(crate) suspended: Vec<Party>,
    /// The access tokens that were handed out.
    pub(crate) access: Vec<usize>,
    /// The present, and the seconds in which something ends.
    pub(crate) now: i64,
    pub(crate) ends: Vec<i64>,
}

/// The history of this seed. Some begin with a token that is presented more often than is allowed, which chance would
/// hardly ever come to.
pub(crate) fn history(seed: u64) -> Vec<Draft> {
    let mut dice = Dice(seed);
    let mut draft = |kind| Draft { kind, dice: Dice(dice.next()) };
    let mut drafts = Vec::new();
    if seed.is_multiple_of(40) {
        drafts.push(draft(Kind::Repeat));
    }
    let whole: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    for _ in 0..6 + dice.below(15) {
        let mut at = dice.below(whole);
        let kind = WEIGHTS.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        let (kind, _) = kind.expect("less than all weights");
        // It takes several of these in a row until the chain has come to its end.
        for _ in 0..if *kind == Kind::Tend { 3 } else { 1 } {
            drafts.push(Draft { kind: *kind, dice: Dice(dice.next()) });
        }
    }
    drafts
}

impl Draft {
    /// Settles the details. One draft may come to several steps.
    pub(crate) fn settle(mut self, known: &Known<'_>) -> Vec<Step> {
        let dice = &mut self.dice;
        let issue = Request::Issue { user: dice.below(TENANT_OF.len()), client: usize::from(dice.one(1, 4)) };
        if self.kind == Kind::Wait {
            return vec![Step::Wait(wait(dice, known))];
        }
        if self.kind == Kind::Key {
            let request = if dice.one(1, 2) { Request::RotateKey } else { Request::RevokeKey };
            // Servers learn of it within a second. Often two come at once then, before anybody else has made it look.
            let mut steps = vec![Step::Ask(request), Step::Wait(known.now + 2)];
            steps.extend(dice.one(3, 4).then(|| two_refreshes(known)).flatten());
            return steps;
        }
        if self.kind == Kind::Sweep {
            return vec![Step::Ask(Request::Sweep)];
        }
        if self.kind == Kind::Repeat {
            return repeat(known.grants.len());
        }
        let Some(grant) = chosen(dice, self.kind, known) else { return vec![Step::Ask(issue)] };
        let (user, client, newest) = known.grants[grant];
        let party = match dice.below(3) {
            0 => Party::User(user),
            1 => Party::Client(client),
            _ => Party::Tenant(TENANT_OF[user]),
        };
        let right = right_redemption(grant, client);
        vec![match self.kind {
            Kind::Guess => return guesses(dice, right),
            Kind::Tend => match newest {
                Some(newest) => {
                    return vec![
                        Step::Wait(known.now + [1200, 1200, 1200, 1800][dice.below(4)]),
                        Step::Ask(rotation(grant, client, newest)),
                    ];
                }
                None => Step::Ask(right),
            },
            Kind::Redeem => Step::Ask(redeem(dice, grant, client)),
            Kind::Refresh => match newest {
                Some(newest) => Step::Ask(refresh(dice, grant, client, newest)),
                None => Step::Ask(right),
            },
            // Seldom somebody who is not suspended.
            Kind::Resume if dice.one(1, 12) => Step::Ask(Request::Resume(party)),
            Kind::Resume => match known.suspended.last() {
                Some(party) => Step::Ask(Request::Resume(*party)),
                None => Step::Ask(issue),
            },
            Kind::Revoke => match token(dice, grant, known) {
                // Of a grant that was deleted meanwhile, the server does not know whose it was.
                Some(token) => {
                    let is_wrong = known.alive.contains(&grant) && dice.one(1, 4);
                    Step::Ask(Request::Revoke(token, by(dice, client, is_wrong)))
                }
                None => Step::Ask(right),
            },
            Kind::Race => race(dice, grant, client, newest, party),
            Kind::Suspend if dice.one(1, 4) => return vec![Step::Ask(Request::Suspend(party)); 2],
            Kind::Suspend => Step::Ask(Request::Suspend(party)),
            _ => Step::Ask(issue),
        }]
    }

    /// Somebody asks whether a token is good.
    pub(crate) fn look(mut self, known: &Known<'_>) -> Option<Request> {
        let dice = &mut self.dice;
        let client = Asker::Client(By { client: 1, proved: !dice.one(1, 12) });
        // The first client has no secret to ask with.
        let of_other = |number: &usize| known.grants[*number].1 == 1 && known.grants[*number].2.is_some();
        let grants: Vec<_> = (0..known.grants.len()).filter(of_other).collect();
        if dice.one(1, 2) && !grants.is_empty() {
            let grant = grants[dice.below(grants.len())];
            let asker = if dice.one(1, 12) { Asker::Server } else { client };
            return Some(Request::Introspect(token(dice, grant, known)?, asker));
        }
        let access = known.access.iter().rev().nth(dice.below(5).min(known.access.len().saturating_sub(1)));
        let asker = [Asker::Server, Asker::Server, Asker::Server, Asker::Server, Asker::OtherServer, client];
        Some(Request::Introspect(Token::Access(*access?), asker[dice.below(6)]))
    }
}

/// A token of this grant, or any access token.
fn token(dice: &mut Dice, grant: usize, known: &Known<'_>) -> Option<Token> {
    let refresh = known.grants[grant]
        .2
        .map(|newest| Token::Refresh(grant, newest.saturating_sub([0, 0, 0, 1, 1, 2, 2, 3][dice.below(8)])));
    // The last ones are still good, most of them.
    let last = known.access.iter().rev().nth(dice.below(4).min(known.access.len().saturating_sub(1)));
    let access = last.map(|number| Token::Access(*number));
    if dice.one(2, 3) { refresh.or(access) } else { access.or(refresh) }
}

/// Mostly one that is good for something, because the others are refused whatever is asked; the newest if it is to be
/// tended, which goes on.
fn chosen(dice: &mut Dice, kind: Kind, known: &Known<'_>) -> Option<usize> {
    let last = known.grants.len().checked_sub(1)?;
    if known.alive.is_empty() || dice.one(1, 8) {
        return Some(dice.below(last + 1));
    }
    let newest = known.alive.len() - 1;
    Some(known.alive[if kind == Kind::Tend { newest } else { dice.below(newest + 1) }])
}

/// Wrong verifiers, and then the right one.
fn guesses(dice: &mut Dice, right: Request) -> Vec<Step> {
    let Request::Redeem { grant, by, redirect, elsewhere, .. } = right else { return Vec::new() };
    let wrong = Request::Redeem { grant, by, verifier: false, redirect, elsewhere };
    let mut steps = vec![Step::Ask(wrong); 2 + dice.below(2)];
    steps.push(Step::Ask(right));
    steps
}

/// Mostly to a second in which something ends, or the one before or after it; sooner ones more often.
fn wait(dice: &mut Dice, known: &Known<'_>) -> i64 {
    let some = [1, 5, 20, 300][dice.below(4)];
    if known.ends.is_empty() || dice.one(1, 4) {
        return known.now + some;
    }
    let nth = dice.below(known.ends.len()).min(dice.below(3));
    (known.ends[nth] + [-1, 0, 0, 1][dice.below(4)]).max(known.now)
}

/// A fresh grant whose first token is presented until it is refused.
fn repeat(grant: usize) -> Vec<Step> {
    let first = rotation(grant, 0, 0);
    vec![
        Step::Ask(Request::Issue { user: 0, client: 0 }),
        Step::Ask(right_redemption(grant, 0)),
        Step::Ask(first),
        Step::Repeat(first, REPEATS + 1),
    ]
}

fn right_redemption(grant: usize, client: usize) -> Request {
    let by = By { client, proved: true };
    Request::Redeem { grant, by, verifier: true, redirect: true, elsewhere: false }
}

fn rotation(grant: usize, client: usize, generation: u32) -> Request {
    let by = By { client, proved: true };
    Request::Refresh { grant, generation, by, scope: Ask::Nothing, elsewhere: false }
}

/// Mostly right, else wrong in one thing, and seldom in two.
fn redeem(dice: &mut Dice, grant: usize, client: usize) -> Request {
    let wrong = [dice.below(14), dice.below(40)];
    Request::Redeem {
        grant,
        by: by(dice, client, wrong.contains(&0)),
        verifier: !wrong.contains(&1),
        redirect: !wrong.contains(&2),
        elsewhere: wrong.contains(&3) || wrong[0] == 4,
    }
}

fn refresh(dice: &mut Dice, grant: usize, client: usize, newest: u32) -> Request {
    let age = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3][dice.below(10)];
    let wrong = [dice.below(20), dice.below(40)];
    Request::Refresh {
        grant,
        generation: newest.saturating_sub(age),
        by: by(dice, client, wrong[0] < 2),
        scope: match wrong[0] {
            2 | 3 => Ask::More,
            4..8 => Ask::Less,
            _ => Ask::Nothing,
        },
        elsewhere: wrong[0] == 8 || wrong[1] == 0,
    }
}

/// The right client; else the other, or somebody with a wrong secret (client 1 is the one that has one).
fn by(dice: &mut Dice, client: usize, is_wrong: bool) -> By {
    match (is_wrong, dice.below(2)) {
        (false, _) => By { client, proved: true },
        (true, 0) => By { client: 1 - client, proved: true },
        (true, _) => By { client: 1, proved: false },
    }
}

/// The newest grant that may still be refreshed, refreshed by two at once.
fn two_refreshes(known: &Known<'_>) -> Option<Step> {
    let grant = known.alive.iter().rev().find(|grant| known.grants[**grant].2.is_some())?;
    let (_, client, newest) = known.grants[*grant];
    let fresh = rotation(*grant, client, newest?);
    Some(Step::Race(fresh, fresh))
}

fn race(dice: &mut Dice, grant: usize, client: usize, newest: Option<u32>, party: Party) -> Step {
    let redemption = right_redemption(grant, client);
    let Some(generation) = newest else { return Step::Race(redemption, redemption) };
    let fresh = rotation(grant, client, generation);
    let stale = rotation(grant, client, generation.saturating_sub(1));
    match dice.below(9) {
        8 => {
            Step::Race(fresh, Request::Revoke(Token::Refresh(grant, generation), By { client, proved: true }))
        }
        0 => Step::Race(redemption, fresh),
        1 => Step::Race(fresh, Request::Suspend(party)),
        2 | 3 => Step::Race(stale, fresh),
        _ => Step::Race(fresh, fresh),
    }
}
