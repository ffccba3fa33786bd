"use strict";

const { withHooks } = require("./hooks.js");

// Jest's hooks are global.
exports.useGatelet = withHooks({
  beforeAll: (hook) => globalThis.beforeAll(hook),
  afterAll: (hook) => globalThis.afterAll(hook),
});
