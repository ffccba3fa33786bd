#!/usr/bin/env node
// `npx gatelet …`: the program of the package for this platform.
"use strict";

const { spawnSync } = require("node:child_process");
const { program } = require("./process.js");

const { status, signal, error } = spawnSync(program(), process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
