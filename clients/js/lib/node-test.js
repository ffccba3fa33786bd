"use strict";

const { after } = require("node:test");
const { withHook } = require("./hooks.js");

exports.useGatelet = withHook(after);
