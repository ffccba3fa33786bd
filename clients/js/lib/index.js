// What this package exports. CommonJS, because jest as it comes loads nothing else; ../index.mjs is the same as a module.
"use strict";

const { GateletError, ExpectationFailed } = require("./control.js");
const { Gatelet, startGatelet, connectGatelet, withIssuer } = require("./gatelet.js");
const { Issuer } = require("./issuer.js");
const { program } = require("./process.js");

module.exports = { ExpectationFailed, Gatelet, GateletError, Issuer, connectGatelet, program, startGatelet, withIssuer };
