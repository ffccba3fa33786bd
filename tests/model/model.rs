//! What a client may expect of the server, as a model: numbers and sets, and nothing of Gatelet's own code. It is told
//! what is asked of the server and predicts the answer, and why (a word for the table of what occurred).

use std::collections::{BTreeMap, BTreeSet};

/// So many wrong verifiers end a code (RFC 7636 §4.6 leaves the number open).
pub(crate) const GUESSES: u32 = 3;
/// So often is one refresh token answered again inside the retry window.
pub(crate) const REPEATS: u32 = 64;
/// The tenant that each user belongs to.
pub(crate) const TENANT_OF: [usize; 3] = [0, 0, 1];

/// How long things last, in seconds. What lasts until a second is over in that second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) code: i64,
    pub(crate) window: i64,
    pub(crate) idle: i64,
    pub(crate) absolute: i64,
    pub(crate) access: i64,
}

/// Somebody whom an operator can suspend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    User(usize),
    Client(usize),
    Tenant(usize),
}

/// Who says to be which client, with the right secret or a wrong one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct By {
    pub(crate) client: usize,
    pub(crate) proved: bool,
}

/// The scope that a refresh asks for; a grant holds reading and writing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ask {
    Nothing,
    Less,
    More,
}

/// A token that was handed out: an access token by the number of the request that it answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token {
    Access(usize),
    Refresh(usize, u32),
}

/// Who asks whether a token is good: the server that it is for, another one, or a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asker {
    Server,
    OtherServer,
    Client(By),
}

/// What is asked of the server. Grants are numbered as they were issued, the tokens of a chain from zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Request {
    Issue {
        user: usize,
        client: usize,
    },
    Redeem {
        grant: usize,
        by: By,
        verifier: bool,
        redirect: bool,
        elsewhere: bool,
    },
    Refresh {
        grant: usize,
        generation: u32,
        by: By,
        scope: Ask,
        elsewhere: bool,
    },
    Introspect(Token, Asker),
    Revoke(Token, By),
    Suspend(Party),
    /// A new key signs from the next second on; what the old one signed stays good.
    RotateKey,
    /// The key that signs is revoked, and with it what it signed.
    RevokeKey,
    /// What has ended for long is deleted, which nobody may notice.
    Sweep,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Code,
    Tokens { grant: usize, generation: u32, all: bool },
    Active { all: bool },
    Inactive,
    Refused(u16, String),
    Done,
}

/// The answer, and why.
pub(crate) type Verdict = (Answer, &'static str);

#[derive(Clone, Debug, PartialEq)]
struct Grant {
    user: usize,
    client: usize,
    issued_at: i64,
    guesses: u32,
    revoked: bool,
    /// From the redemption of the code on.
    chain: Option<Chain>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Chain {
    newest: u32,
    rotated_at: i64,
    repeats: u32,
    idle_end: i64,
    end: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Access {
    grant: usize,
    end: i64,
    all: bool,
    key: usize,
    revoked: bool,
}

/// All that has to be known to predict every answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) rules: Rules,
    pub(crate) now: i64,
    grants: Vec<Grant>,
    suspended: BTreeSet<Party>,
    access: BTreeMap<usize, Access>,
    /// How many keys there were before the one that signs, and which of all were revoked.
    key: usize,
    revoked_keys: BTreeSet<usize>,
}

impl Model {
    pub(crate) fn new(rules: Rules, now: i64) -> Self {
        let (suspended, revoked_keys) = (BTreeSet::new(), BTreeSet::new());
        Self { rules, now, grants: Vec::new(), suspended, access: BTreeMap::new(), key: 0, revoked_keys }
    }

    /// Predicts the answer to the request with this number.
    pub(crate) fn answer(&mut self, number: usize, request: &Request) -> Verdict {
        match *request {
            Request::Issue { user, client } => self.issue(user, client),
            Request::Redeem { grant, by, verifier, redirect, elsewhere } => {
                let verdict = self.redeem(grant, by, verifier, redirect, elsewhere);
                self.handed_out(number, verdict)
            }
            Request::Refresh { grant, generation, by, scope, elsewhere } => {
                let verdict = self.refresh(grant, generation, by, scope, elsewhere);
                self.handed_out(number, verdict)
            }
            Request::Introspect(token, asker) => self.introspect(token, asker),
            Request::Revoke(token, by) => self.revoke(token, by),
            Request::Suspend(party) => self.suspend(party),
            Request::RotateKey => {
                self.key += 1;
                (Answer::Done, "rotated")
            }
            Request::RevokeKey => {
                self.revoked_keys.insert(self.key);
                self.key += 1;
                (Answer::Done, "revoked")
            }
            Request::Sweep => (Answer::Done, "swept"),
        }
    }

    /// What is left to believe when two requests that were on their way at once were answered so, and the first was
    /// earlier: nothing if that cannot be. What was predicted is added to `predicted`.
    pub(crate) fn answers_in_order(
        &self,
        [(number, request, answer), later]: [(usize, &Request, &Answer); 2],
        predicted: &mut Vec<Verdict>,
    ) -> Vec<Self> {
        let mut between = self.clone();
        let earlier = between.answer(number, request);
        let mut after = between.clone();
        let last = after.answer(later.0, later.1);
        let is_right = earlier.0 == *answer
            && (last.0 == *later.2
                // A client that was let in just before it was suspended learns of its grant first.
                || (last.1 == "suspended client" && over("").0 == *later.2));
        // Of two that redeem a code, the slower may be told so and taken for no replay.
        let is_slower = [earlier.1, last.1] == ["redeemed", "code replayed"];
        predicted.extend([earlier, last]);
        match (is_right, is_slower) {
            (false, _) => Vec::new(),
            (true, false) => vec![after],
            (true, true) => vec![between, after],
        }
    }

    /// Nobody who is suspended is let in, and a suspended client is a stranger.
    fn issue(&mut self, user: usize, client: usize) -> Verdict {
        if self.suspended.contains(&Party::Client(client)) {
            return refused(400, "page", "suspended client");
        }
        if self.suspended.contains(&Party::User(user)) {
            return refused(200, "login", "suspended user");
        }
        if self.suspended.contains(&Party::Tenant(TENANT_OF[user])) {
            return refused(303, "access_denied", "suspended tenant");
        }
        let (issued_at, guesses, revoked, chain) = (self.now, 0, false, None);
        self.grants.push(Grant { user, client, issued_at, guesses, revoked, chain });
        (Answer::Code, "issued")
    }

    /// A code is good once, for its client, with its redirect URI and its verifier, for a short time. Who presents it
    /// again with all of that ends the grant; whoever lacks something of it ends nothing (OAuth 2.1 §7.5.2).
    fn redeem(&mut self, number: usize, by: By, verifier: bool, redirect: bool, elsewhere: bool) -> Verdict {
        if let Some(refusal) = self.not_the_client(by) {
            return refusal;
        }
        let (now, rules, is_alive) = (self.now, self.rules, self.is_alive(number));
        let grant = &mut self.grants[number];
        if by.client != grant.client {
            return over("another client's code");
        }
        if !redirect {
            return over("another redirect URI");
        }
        if grant.guesses == GUESSES {
            return over("guessed at too often");
        }
        if !verifier {
            grant.guesses += u32::from(grant.chain.is_none());
            return over("wrong verifier");
        }
        if grant.chain.is_some() {
            grant.revoked = true;
            return over("code replayed");
        }
        if now >= grant.issued_at + rules.code {
            return over("code expired");
        }
        if !is_alive {
            return over("grant ended");
        }
        if elsewhere {
            return refused(400, "invalid_target", "another resource");
        }
        let (idle_end, end) = (now + rules.idle, now + rules.absolute);
        grant.chain = Some(Chain { newest: 0, rotated_at: now, repeats: 0, idle_end, end });
        (Answer::Tokens { grant: number, generation: 0, all: true }, "redeemed")
    }

    /// The newest token of a chain is exchanged for the next; the one before is answered with the same next for a short
    /// time, and not too often; anything older ends the grant (RFC 9700 §4.14.2). A request that is refused for what it
    /// asks costs nothing. Less scope is for one access token; the chain keeps what the grant holds (RFC 6749 §6).
    fn refresh(&mut self, number: usize, generation: u32, by: By, scope: Ask, elsewhere: bool) -> Verdict {
        if let Some(refusal) = self.not_the_client(by) {
            return refusal;
        }
        let (now, rules, is_newest) = (self.now, self.rules, self.is_newest(number, generation));
        let grant = &mut self.grants[number];
        let Some(chain) = grant.chain.as_mut().filter(|_| by.client == grant.client) else {
            return over("another client's token");
        };
        let is_newest = match is_newest {
            Ok(is_newest) => is_newest,
            Err(why) => {
                grant.revoked |= why.contains("replayed");
                return over(why);
            }
        };
        if elsewhere {
            return refused(400, "invalid_target", "another resource");
        }
        if scope == Ask::More {
            return refused(400, "invalid_scope", "too much scope");
        }
        if !is_newest && chain.repeats == REPEATS {
            return over("repeated too often");
        }
        if is_newest {
            let (newest, idle_end) = (generation + 1, now + rules.idle);
            *chain = Chain { newest, rotated_at: now, repeats: 0, idle_end, ..*chain };
        } else {
            chain.repeats += 1;
        }
        let why = match (is_newest, scope) {
            (true, Ask::Nothing) => "rotated",
            (true, _) => "rotated, less scope",
            (false, _) => "answered again",
        };
        (Answer::Tokens { grant: number, generation: chain.newest, all: scope == Ask::Nothing }, why)
    }

    /// Whether this is the newest token of a grant's chain, and not the one before it, which is good for a short time; or
    /// why it is neither.
    fn is_newest(&self, number: usize, generation: u32) -> Result<bool, &'static str> {
        let Some(chain) = self.grants[number].chain.filter(|_| self.is_alive(number)) else {
            return Err("grant ended");
        };
        match generation {
            _ if self.now >= chain.end => Err("chain expired"),
            _ if self.now >= chain.idle_end => Err("not used for too long"),
            _ if generation == chain.newest => Ok(true),
            _ if generation + 1 != chain.newest => Err("old token replayed"),
            _ if self.now >= chain.rotated_at + self.rules.window => Err("token replayed after the window"),
            _ => Ok(false),
        }
    }

    /// A resource server is told of access tokens that are for it, a client of its own tokens, and nobody of others (RFC
    /// 7662 §4). Whatever would not be taken now is inactive, and why is not told (§2.2).
    fn introspect(&self, token: Token, asker: Asker) -> Verdict {
        let client = match asker {
            Asker::Client(by) => match self.not_the_client(by) {
                Some(refusal) => return refusal,
                None => Some(by.client),
            },
            Asker::Server | Asker::OtherServer => None,
        };
        let inactive = |why| (Answer::Inactive, why);
        let grant = match token {
            Token::Access(number) => self.access[&number].grant,
            Token::Refresh(grant, _) => grant,
        };
        let is_business = match client {
            Some(client) => client == self.grants[grant].client,
            None => asker == Asker::Server && matches!(token, Token::Access(_)),
        };
        if !is_business {
            return inactive("not the asker's business");
        }
        match token {
            Token::Access(number) => match self.access[&number] {
                access if self.now >= access.end => inactive("access token expired"),
                access if self.revoked_keys.contains(&access.key) => inactive("key revoked"),
                access if access.revoked => inactive("access token revoked"),
                access if !self.is_alive(access.grant) => inactive("grant ended"),
                access => (Answer::Active { all: access.all }, "access token active"),
            },
            Token::Refresh(grant, generation) => match self.is_newest(grant, generation) {
                Ok(true) => (Answer::Active { all: true }, "refresh token active"),
                Ok(false) if self.grants[grant].chain.is_some_and(|chain| chain.repeats == REPEATS) => {
                    inactive("repeated too often")
                }
                Ok(false) => (Answer::Active { all: true }, "answered again"),
                Err(why) => inactive(why),
            },
        }
    }

    /// A refresh token takes its grant with it, an access token goes alone; of another client's nothing goes (RFC 7009
    /// §2.1). What is not good any more is as revoked as it can be (§2.2).
    fn revoke(&mut self, token: Token, by: By) -> Verdict {
        if let Some(refusal) = self.not_the_client(by) {
            return refusal;
        }
        match token {
            Token::Refresh(grant, _) => {
                let grant = &mut self.grants[grant];
                if by.client != grant.client {
                    return over("another client's token");
                }
                grant.revoked = true;
                (Answer::Done, "refresh token revoked")
            }
            Token::Access(number) => {
                let access = self.access.get_mut(&number).expect("a token that was handed out");
                if self.now >= access.end || self.revoked_keys.contains(&access.key) {
                    return (Answer::Done, "nothing to revoke");
                }
                if by.client != self.grants[access.grant].client {
                    return over("another client's token");
                }
                access.revoked = true;
                (Answer::Done, "access token revoked")
            }
        }
    }

    /// Who is suspended loses at once, and for ever, what was given.
    fn suspend(&mut self, party: Party) -> Verdict {
        if !self.suspended.insert(party) {
            return (Answer::Refused(0, "lost".to_owned()), "suspended before");
        }
        for grant in self.grants.iter_mut().filter(|grant| grant.names(party)) {
            grant.revoked = true;
        }
        (Answer::Done, "suspended")
    }

    fn is_alive(&self, number: usize) -> bool {
        let grant = &self.grants[number];
        !grant.revoked && !self.suspended.iter().any(|party| grant.names(*party))
    }

    fn not_the_client(&self, by: By) -> Option<Verdict> {
        if self.suspended.contains(&Party::Client(by.client)) {
            return Some(refused(401, "invalid_client", "suspended client"));
        }
        (!by.proved).then(|| refused(401, "invalid_client", "wrong secret"))
    }

    fn handed_out(&mut self, number: usize, verdict: Verdict) -> Verdict {
        if let Answer::Tokens { grant, all, .. } = verdict.0 {
            let (end, key) = (self.now + self.rules.access, self.key);
            self.access.insert(number, Access { grant, end, all, key, revoked: false });
        }
        verdict
    }

    /// Whether anybody is suspended.
    pub(crate) fn has_suspended(&self) -> bool {
        !self.suspended.is_empty()
    }

    /// The grants of which something can still be had.
    pub(crate) fn alive(&self) -> Vec<usize> {
        let lasts = |grant: &Grant| match grant.chain {
            None => grant.issued_at + self.rules.code > self.now && grant.guesses < GUESSES,
            Some(chain) => chain.idle_end.min(chain.end) > self.now,
        };
        (0..self.grants.len())
            .filter(|number| self.is_alive(*number) && lasts(&self.grants[*number]))
            .collect()
    }

    /// The seconds in which something ends, from the present on.
    pub(crate) fn ends(&self) -> BTreeSet<i64> {
        let of_grant = |grant: &Grant| match grant.chain {
            None => vec![grant.issued_at + self.rules.code],
            Some(chain) => vec![chain.rotated_at + self.rules.window, chain.idle_end, chain.end],
        };
        let alive = (0..self.grants.len()).filter(|number| self.is_alive(*number));
        let ends = alive.flat_map(|number| of_grant(&self.grants[number]));
        let of_access = self.access.values().map(|access| access.end);
        ends.chain(of_access).filter(|end| *end >= self.now).collect()
    }
}

impl Grant {
    fn names(&self, party: Party) -> bool {
        match party {
            Party::User(user) => user == self.user,
            Party::Client(client) => client == self.client,
            Party::Tenant(tenant) => tenant == TENANT_OF[self.user],
        }
    }
}

fn refused(status: u16, error: &str, why: &'static str) -> Verdict {
    (Answer::Refused(status, error.to_owned()), why)
}

/// Whatever is wrong with a code or token itself is told in one word (RFC 6749 §5.2).
fn over(why: &'static str) -> Verdict {
    refused(400, "invalid_grant", why)
}
