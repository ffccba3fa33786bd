// A process that runs as long as a file's tests, for runners that have hooks. hooks.d.ts documents it.
"use strict";

const { startGatelet } = require("./gatelet.js");

/** `useGatelet` for a runner's hook. */
const withHook = (afterAll) =>
  function useGatelet(options) {
    // Started by whoever asks first: not every runner waits for one hook before it begins the next.
    let started;
    const gatelet = () => (started ??= startGatelet(options));
    // Where it did not start, the tests have said so.
    afterAll(async () => (await started?.catch(() => undefined))?.close());
    return { gatelet, issuer: async (spec) => (await gatelet()).issuer(spec) };
  };

module.exports = { withHook };
