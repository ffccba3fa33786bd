// Alice, who logs in and consents as the pages ask her to.
import { Browser } from "./browser.mjs";

export class Person {
  #browser;

  constructor(browser = new Browser()) {
    this.#browser = browser;
  }

  /**
   * Follows an authorization request to its end, allowing `scopes` and nothing else, or what is ticked already.
   *
   * @returns {Promise<{callback: URL, saw: string[], offered: string[]}>} where she was sent, the pages that she saw,
   * and the scopes that the consent page offered
   */
  async authorize(url, scopes) {
    const saw = [];
    let offered = [];
    let at = await this.#browser.open(url);
    while (!at.callback) {
      if (saw.length > 3) throw new Error(`the pages lead nowhere: ${saw.join(", ")}`);
      const login = at.forms.find((form) => form.has("password"));
      const consent = at.forms.find((form) => form.has("interaction"));
      if (login) {
        saw.push("login");
        login.fill("username", "alice");
        login.fill("password", "wonderland");
        at = await this.#browser.submit(login);
      } else if (consent) {
        saw.push("consent");
        offered = consent.choices("scope");
        if (scopes) consent.tickOnly("scope", scopes);
        at = await this.#browser.submit(consent, ["decision", "allow"]);
      } else {
        throw new Error(`neither a login nor a consent page: ${at.text.replace(/\s+/g, " ").trim()}`);
      }
    }
    return { callback: at.callback, saw, offered };
  }
}
