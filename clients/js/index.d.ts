/** A JSON object. */
export type Json = Record<string, unknown>;

/** The control plane refused a request, or could not be reached. */
export class GateletError extends Error {
  /** The status of the answer, undefined if there was none. */
  readonly status?: number;
  /** The answer's error code, such as `invalid_request`. */
  readonly code?: string;
}

/** What was expected did not happen. The message says what was seen instead. */
export class ExpectationFailed extends GateletError {}

/** A token, and what is in it. */
export interface Minted {
  token: string;
  header: Json;
  claims: Json;
}

/** What a token is to be like. Nothing has to be said. */
export interface ZooSpec {
  /** The person's user name. Alice, if nobody is named. */
  user?: string;
  /** The client. Where only a client is named, the token is that machine's own. */
  client?: string;
  /** The MCP server; the issuer's first, if none is named. */
  resource?: string;
  /** The default scopes of the resource, if not given. */
  scope?: string | string[];
  tenant?: string;
  /** How many seconds it lives; may be negative. */
  ttl?: number;
  /** Claims to set, or to remove (null). */
  claims?: Json;
  /** Header members to set, or to remove (null). */
  header?: Json;
}

export interface MintSpec extends ZooSpec {
  /** The name of a specimen of the zoo. */
  defect?: string;
}

/** A token of the zoo as the list has it: a valid one, or one with a single defect. */
export interface SpecimenInfo {
  /** In kebab-case; `valid` for the one that must be accepted. */
  name: string;
  /** Whether a resource server has to accept it. */
  valid: boolean;
  /** The status that a resource server must answer with. */
  status: number;
  /** The error code that belongs into the `WWW-Authenticate` header. */
  error?: string;
  /** The section that says so. */
  section: string;
  /** What is wrong with it, and what accepting it would mean. */
  why: string;
  /** What to change in a server that takes it. */
  remedy: string;
  /**
   * Absent where every resource server has to answer so. Else only one has to that asks the issuer about each token, or
   * that belongs to one tenant.
   */
  depends_on?: "introspection" | "tenant";
}

export interface Specimen extends SpecimenInfo {
  token: string;
}

export interface Clock {
  /** Unix seconds. */
  now: number;
  /** Whether it stands still until it is moved. */
  frozen: boolean;
}

export interface Keys {
  /** The `kid` of each published key. */
  keys: string[];
  /** The `kid` of the key that signs. */
  signing: string;
}

export interface Person {
  username: string;
  /** Absent for somebody who has none. */
  password?: string;
  memberships: { tenant: string; roles: string[] }[];
}

export interface Client {
  client_id: string;
  client_secret?: string;
  redirect_uris: string[];
  scopes?: string[];
}

export interface Resource {
  uri: string;
  /** The `aud` of tokens for it. */
  audience: string;
  scopes: string[];
}

export type Endpoint =
  | "token" | "authorize" | "metadata" | "jwks" | "register" | "introspect" | "revoke" | "userinfo" | "*" | (string & {});

/** What goes wrong. At least one member says what. */
export interface FaultSpec {
  /** `*`, if not given. */
  endpoint?: Endpoint;
  /** Only requests with these parameters in their body, such as `grant_type`. */
  form?: Record<string, string>;
  /** How often; once, if not given, and for good if null. */
  times?: number | null;
  /** Waits first. */
  delayMs?: number;
  /** Cuts the connection. */
  drop?: boolean;
  /** Replaces the answer. */
  status?: number;
  /** Replaces the answer's body. */
  body?: string;
  /** Whether the request takes effect although it is dropped or answered by `status` or `body`: the answer is lost. */
  processed?: boolean;
  /** Headers to set, or to take away (null). */
  headers?: Record<string, string | null>;
  /** Members of an answer in JSON to set, or to take away (null). */
  set?: Json;
  /** Parameters with which the browser is sent to the client, to set or to take away (null). */
  redirectSet?: Record<string, string | null>;
}

/** A fault that is going to happen: what was asked for, by the control plane's own names. */
export interface Fault {
  /** For `removeFault`. */
  id: number;
  endpoint: Endpoint;
  /** How often it still happens; null for good. */
  times?: number | null;
  /** The persona that brought it. */
  persona?: string;
  form?: Record<string, string>;
  delay_ms?: number;
  drop?: boolean;
  status?: number | null;
  body?: string | null;
  processed?: boolean;
  headers?: Record<string, string | null>;
  set?: Json;
  redirect_set?: Record<string, string | null>;
}

/** A way for an authorization server to misbehave. */
export interface Persona {
  name: string;
  does: string;
  client_must: string;
  section: string;
}

/** A request that an issuer got. */
export interface SeenRequest {
  /** Its number, counted from 1 at each issuer. */
  n: number;
  /** When, in unix seconds of the issuer's clock. */
  at: number;
  endpoint: string;
  method: string;
  path: string;
  query: Record<string, string>;
  /** In lower case. */
  headers: Record<string, string>;
  form: Record<string, string> | null;
  json: unknown;
  /** What it was answered with; null where the connection was cut. */
  status: number | null;
}

/** Which requests are expected. What is left out is any. */
export interface Expected {
  endpoint?: Endpoint;
  method?: string;
  /** Parameters in the body, among others. */
  form?: Record<string, string>;
  /** Parameters in the URL, among others. */
  query?: Record<string, string>;
  headers?: Record<string, string>;
  status?: number;
  /** Later than the request with this number. */
  after?: number;
  /** So many at least; one, if not given. */
  count?: number;
  /** So many and no more. */
  exactly?: number;
  /** How many seconds to wait for them. */
  wait?: number;
}

/** What a new issuer is like. Nothing has to be said: people, clients and a resource are ready-made. */
export interface IssuerSpec {
  /** Its name in the path. */
  name?: string;
  /** Makes all chance and the start of the clock repeatable. */
  seed?: number;
  /** Where its clock starts, in unix seconds; it stands still then, unless `frozen` is false. */
  now?: number;
  frozen?: boolean;
  /** After how many seconds it ends by itself; an hour. */
  expiresIn?: number;
  /** `pool`, a key that everybody can know, unless given; `fresh` takes a moment. */
  keys?: "pool" | "fresh";
  /** Scheme, host and port by which it is reached, where the program knows of another, such as a port that a container maps. */
  origin?: string;
  /** The path of the issuer, `/oauth` unless given; `""` or `"/"` for none. */
  issuerPath?: string;
  /** Whether tokens are issued for every URL on loopback. They are unless this is false. */
  loopbackResources?: boolean;
  /** The keys of gatelet.toml, and beside them `password` of a user and `secret` of a client. Replaces what is ready-made. */
  config?: Json;
  /** Client id metadata documents by URL. */
  documents?: Record<string, Json>;
  /** Answers authorization requests at once, without a page. */
  auto?: Auto;
  /** One of `Gatelet.personas`. */
  persona?: string;
}

export interface Auto {
  user: string;
  /** `allow` unless given. */
  decision?: "allow" | "deny";
}

export interface StartOptions {
  /** The program; found as `program` says, if not given. */
  bin?: string;
  /** More arguments for `gatelet test`. */
  args?: string[];
}

/** An authorization server for one test or a few: its people, clients, keys, clock and database are its own. */
export class Issuer {
  private constructor();
  readonly name: string;
  /** The issuer's identifier: `iss` of its tokens, and what an MCP server names in its metadata. */
  readonly issuer: string;
  /** Where its pages begin. */
  readonly url: string;
  /** Its metadata (RFC 8414). */
  readonly metadataUrl: string;
  /** Its published keys. */
  readonly jwksUri: string;
  /** Where it is driven, for a program that does so without this package. */
  readonly controlUrl: string;
  readonly people: Person[];
  readonly clients: Client[];
  readonly resources: Resource[];
  /** All members of the control plane's answer. */
  readonly facts: Json;

  /** Ends this issuer; one that has ended already is left at that. */
  delete(): Promise<void>;

  /** A token as this issuer would issue it, without the way through a browser. */
  mint(spec?: MintSpec): Promise<Minted>;
  /** One valid token, then tokens with one defect each, and what a resource server has to answer to each. */
  zoo(spec?: ZooSpec): Promise<Specimen[]>;
  /** The list of the zoo, without tokens. */
  specimens(): Promise<SpecimenInfo[]>;
  /** Revokes a token, as its client would (RFC 7009). */
  revoke(token: string): Promise<void>;

  /** What this issuer takes for the time. */
  clock(): Promise<Clock>;
  /** Puts the clock to `now` (unix seconds), stops it or lets it go. */
  setClock(setting: { now?: number; frozen?: boolean }): Promise<Clock>;
  /** Stops the clock, at `now` if that is given. */
  freeze(now?: number): Promise<Clock>;
  /** Lets the clock go on from where it stands. */
  unfreeze(): Promise<Clock>;
  /** Moves the clock forward. What is due by then is done. */
  advance(seconds: number): Promise<Clock>;

  /** A new key signs; the old one stays published. */
  rotateKey(): Promise<Keys>;
  /** A new key signs; the old one is not published any longer, and is not said to be bad. */
  loseKey(): Promise<Keys>;
  /** The key that signs is revoked as one that leaked, and a new one signs. */
  revokeKey(): Promise<Keys>;
  /** A new key signs that is not published until `publishKey`. */
  publishKeyLate(): Promise<Keys>;
  /** Publishes the key of `publishKeyLate`. */
  publishKey(): Promise<Keys>;

  /** Makes answers of an endpoint bad. Answers the fault's number. */
  fault(fault: FaultSpec): Promise<number>;
  /** The faults that are still going to happen. */
  faults(): Promise<Fault[]>;
  removeFault(number: number): Promise<void>;
  /** Takes all faults away but those of a persona. */
  clearFaults(): Promise<void>;
  /** Lets the issuer misbehave as `Gatelet.personas` says; null ends that. */
  persona(name: string | null): Promise<void>;

  /**
   * Somebody (alice) logs in at the authorization URL that a client built, and decides (allows). Answers where the browser
   * goes then. `scopes` are those that are ticked, all if not given.
   */
  authorize(
    url: string | URL,
    answer?: { user?: string; decision?: "allow" | "deny"; scopes?: string[]; tenant?: string },
  ): Promise<URL>;
  /** From now on authorization requests are answered at once, without a page; null ends that. */
  auto(answer: Auto | null): Promise<void>;

  /** The requests that this issuer got, later than number `after`. With `wait` it waits for the first, 60 seconds at most. */
  requests(which?: { after?: number; endpoint?: Endpoint; wait?: number }): Promise<SeenRequest[]>;
  /** Forgets the requests up to now. */
  forgetRequests(): Promise<void>;
  /** The requests that look like this. Throws `ExpectationFailed`, which says what was seen instead. */
  expect(expected: Expected): Promise<SeenRequest[]>;

  /** Keeps database, clock, keys and faults as they are. Answers the name for `restore`. */
  snapshot(name?: string): Promise<string>;
  snapshots(): Promise<string[]>;
  /** Puts everything back to a snapshot. */
  restore(name: string): Promise<void>;

  /** The client id metadata document that the issuer finds at `url`, or the `status` it gets instead. Nothing is dialled. */
  document(url: string, document?: Json, answer?: { status?: number; freshFor?: number }): Promise<void>;
  /** There is nothing any more at `url`. */
  forgetDocument(url: string): Promise<void>;
  /** One more person, in the terms of `[[users]]` in the configuration, `password` beside them. */
  addUser(user: Json): Promise<void>;
  /** One more client, in the terms of `[[clients]]`, `secret` beside them. */
  addClient(client: Json): Promise<void>;
  /** One more MCP server, in the terms of `[[resources]]`. */
  addResource(resource: Json): Promise<void>;
  /** One more tenant, in the terms of `[[tenants]]`. */
  addTenant(tenant: Json): Promise<void>;
  /** Purges a client: it is as if it had never been known. */
  deleteClient(clientId: string): Promise<void>;
}

/** A running `gatelet test`, with room for many issuers. */
export class Gatelet {
  private constructor();
  readonly version: string;
  readonly controlUrl: string;
  readonly controlKey: string;
  /** The process, if this package started it. */
  readonly pid?: number;
  /** The newest lines of the program's log. */
  readonly log: string;
  /** Ends the process, if this package started it. */
  close(): Promise<void>;
  /** A new issuer. */
  issuer(spec?: IssuerSpec): Promise<Issuer>;
  /** All issuers that there are. */
  issuers(): Promise<Issuer[]>;
  /** The issuer of this name, as it is now; `default` is there from the start. */
  issuerNamed(name: string): Promise<Issuer>;
  /** The ways for an issuer to misbehave, what each does and what a client must do. */
  personas(): Promise<Persona[]>;
  /** The description of the control plane. */
  openapi(): Promise<Json>;
}

/**
 * Starts `gatelet test`, which ends with this process, however that ends, or by `close`. Where no `bin` is given and
 * `GATELET_CONTROL_URL` and `GATELET_CONTROL_KEY` are set, takes the one that they name, and waits until that answers.
 */
export function startGatelet(options?: StartOptions): Promise<Gatelet>;

/** The one that is running already, in a container for instance. `close` leaves it running. */
export function connectGatelet(controlUrl: string, controlKey: string): Promise<Gatelet>;

/**
 * The body of a test that has an issuer of its own: `test("…", withIssuer({}, async (issuer) => { … }))`, in any runner. What
 * the runner gives to the test comes behind the issuer. All such tests of a process share one gatelet. (A `test` of vitest
 * that was extended wants a pattern as parameter; use its fixtures.)
 */
export function withIssuer<Context extends unknown[], Result>(
  spec: IssuerSpec,
  body: (issuer: Issuer, ...context: Context) => Result | Promise<Result>,
): (...context: Context) => Promise<Result>;

/** The gatelet program: `GATELET_BIN`, else that of the package for this platform, else the one on `PATH`. */
export function program(): string;
