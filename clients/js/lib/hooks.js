// A process that runs as long as a file's tests, for runners that have hooks. hooks.d.ts documents it.
"use strict";

const { startGatelet } = require("./gatelet.js");

/** `useGatelet` for a runner's hooks. */
const withHooks = ({ beforeAll, afterAll }) =>
  function useGatelet(options) {
    let running;
    beforeAll(async () => {
      running = await startGatelet(options);
    });
    afterAll(() => running?.close());
    return {
      get gatelet() {
        if (!running) throw new Error("gatelet runs in tests and in hooks, not while tests are collected");
        return running;
      },
      issuer(spec) {
        return this.gatelet.issuer(spec);
      },
    };
  };

module.exports = { withHooks };
