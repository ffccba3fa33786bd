"use strict";

const { withHook } = require("./hooks.js");

// Jest's hooks are global.
exports.useGatelet = withHook((hook) => globalThis.afterAll(hook));
