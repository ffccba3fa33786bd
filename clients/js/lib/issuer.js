// One issuer: an authorization server of its own inside the process. index.d.ts documents it.
"use strict";

const words = (scope) => (Array.isArray(scope) ? scope.join(" ") : scope);
const grant = (asked) => ({ ...asked, scope: words(asked.scope) });

class Issuer {
  #control;

  constructor(control, facts) {
    this.#control = control;
    this.facts = facts;
    this.name = facts.name;
    this.issuer = facts.issuer;
    this.url = facts.url;
    this.metadataUrl = facts.metadata_url;
    this.jwksUri = facts.jwks_uri;
    this.controlUrl = `${control.url}/issuers/${facts.name}`;
    this.people = facts.people;
    this.clients = facts.clients;
    this.resources = facts.resources;
  }

  #call(method, path, options) {
    return this.#control.call(method, `/issuers/${encodeURIComponent(this.name)}${path}`, options);
  }

  async delete() {
    try {
      await this.#call("DELETE", "");
    } catch (problem) {
      // It has ended already.
      if (problem.status !== 404) throw problem;
    }
  }

  // Tokens

  mint(asked = {}) {
    return this.#call("POST", "/tokens", { body: grant(asked) });
  }

  async zoo(asked = {}) {
    return (await this.#call("POST", "/zoo", { body: grant(asked) })).specimens;
  }

  async specimens() {
    return (await this.#call("GET", "/zoo")).specimens;
  }

  revoke(token) {
    return this.#call("POST", "/revoke", { body: { token } });
  }

  // Time and keys

  clock() {
    return this.#call("GET", "/clock");
  }

  setClock({ now, frozen } = {}) {
    return this.#call("PUT", "/clock", { body: { now, frozen } });
  }

  freeze(now) {
    return this.setClock({ now, frozen: true });
  }

  unfreeze() {
    return this.setClock({ frozen: false });
  }

  advance(seconds) {
    return this.#call("POST", "/clock/advance", { body: { seconds } });
  }

  rotateKey() {
    return this.#keys("rotate");
  }

  loseKey() {
    return this.#keys("lose");
  }

  revokeKey() {
    return this.#keys("revoke");
  }

  publishKeyLate() {
    return this.#keys("publish_late");
  }

  publishKey() {
    return this.#keys("publish");
  }

  #keys(action) {
    return this.#call("POST", "/keys", { body: { action } });
  }

  // Faults

  async fault({ endpoint = "*", times = 1, delayMs, redirectSet, ...fault }) {
    const body = { endpoint, times, delay_ms: delayMs, redirect_set: redirectSet, ...fault };
    return (await this.#call("POST", "/faults", { body })).id;
  }

  async faults() {
    return (await this.#call("GET", "/faults")).faults;
  }

  removeFault(number) {
    return this.#call("DELETE", `/faults/${number}`);
  }

  clearFaults() {
    return this.#call("DELETE", "/faults");
  }

  async persona(persona) {
    await this.#call("PUT", "/persona", { body: { persona } });
  }

  // People at a browser

  async authorize(url, { user = "alice", decision, scopes, tenant } = {}) {
    const body = { url: String(url), user, decision, scopes, tenant };
    return new URL((await this.#call("POST", "/authorize", { body })).location);
  }

  async auto(answer) {
    await this.#call("PUT", "/auto", { body: answer });
  }

  // What was seen

  async requests({ after = 0, endpoint, wait } = {}) {
    return (await this.#call("GET", "/requests", { query: { after, endpoint, wait }, wait })).requests;
  }

  forgetRequests() {
    return this.#call("DELETE", "/requests");
  }

  async expect(expected) {
    return (await this.#call("POST", "/requests/expect", { body: expected, wait: expected.wait })).requests;
  }

  // State

  async snapshot(name) {
    return (await this.#call("POST", "/snapshots", { body: { name } })).name;
  }

  async snapshots() {
    return (await this.#call("GET", "/snapshots")).snapshots;
  }

  restore(name) {
    return this.#call("POST", `/snapshots/${encodeURIComponent(name)}/restore`);
  }

  async document(url, document, { status, freshFor } = {}) {
    await this.#call("PUT", "/documents", { body: { url, document, status, fresh_for: freshFor } });
  }

  forgetDocument(url) {
    return this.#call("DELETE", "/documents", { query: { url } });
  }

  async addUser(user) {
    await this.#call("POST", "/users", { body: user });
  }

  async addClient(client) {
    await this.#call("POST", "/clients", { body: client });
  }

  async addResource(resource) {
    await this.#call("POST", "/resources", { body: resource });
  }

  async addTenant(tenant) {
    await this.#call("POST", "/tenants", { body: tenant });
  }

  deleteClient(clientId) {
    return this.#call("DELETE", `/clients/${encodeURIComponent(clientId)}`);
  }
}

module.exports = { Issuer };
