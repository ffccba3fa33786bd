"use strict";

const { before, after } = require("node:test");
const { withHooks } = require("./hooks.js");

exports.useGatelet = withHooks({ beforeAll: before, afterAll: after });
