// Finding the gatelet program, and running it for as long as the tests run.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { GateletError } = require("./control.js");

/** Milliseconds that the program may take to answer. */
const STARTING = 30_000;
/** It answers for eight seconds what it was asked before it ends. */
const ENDING = 10_000;
const LOG_LINES = 1000;
/** So many lines of the log are in the message about a program that has ended. */
const LAST_LINES = 20;
const FILE = process.platform === "win32" ? "gatelet.exe" : "gatelet";

/** The gatelet program: `GATELET_BIN`, else that of the package for this platform, else the one on `PATH`. */
function program() {
  if (process.env.GATELET_BIN) return process.env.GATELET_BIN;
  const found = packaged() ?? onPath();
  if (found === undefined) {
    const name = `@gatelet/${process.platform}-${process.arch}`;
    throw new GateletError(
      `there is no gatelet program in ${name}, which is not installed, and none on PATH: build one (\`cargo install --path .\` ` +
        "in a checkout of Gatelet puts it on PATH), or name one by GATELET_BIN",
    );
  }
  return found;
}

/** npm installs the one of the optional packages that is for this platform. */
function packaged() {
  try {
    return require.resolve(`@gatelet/${process.platform}-${process.arch}/bin/${FILE}`);
  } catch {
    return undefined;
  }
}

function onPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  // npm puts this package's own command there, which would start itself.
  const elsewhere = folders.filter((folder) => folder && !folder.endsWith(path.join("node_modules", ".bin")));
  return elsewhere.map((folder) => path.join(folder, FILE)).find((file) => existsSync(file));
}

/** `gatelet test`. It ends when its standard input closes, and so with this process, however that ends. */
class Process {
  #child;
  #log = [];
  #ended;

  constructor(bin, args) {
    this.command = [bin ?? program(), "test", ...args];
    // In a group of its own: Ctrl-C is for the tests, which delete their issuers then. (On Windows that were a new window.)
    const options = { stdio: "pipe", detached: process.platform !== "win32", windowsHide: true };
    this.#child = spawn(this.command[0], this.command.slice(1), options);
    this.#ended = new Promise((resolve) => this.#child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`)));
    // A closed pipe is no news: the program has ended.
    this.#child.stdin.on("error", () => {});
    readline.createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES) this.#log.shift();
    });
  }

  get pid() {
    return this.#child.pid;
  }

  get log() {
    return this.#log.join("\n");
  }

  /** The line by which the program says where it is. */
  async announcement() {
    let timer;
    const problem = await new Promise((resolve) => {
      timer = setTimeout(() => resolve("it says nothing"), STARTING);
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("close", (code) => resolve(`it ended with ${code}`));
      readline.createInterface({ input: this.#child.stdout }).once("line", (line) => {
        try {
          resolve(JSON.parse(line));
        } catch {
          resolve(`it says ${line}`);
        }
      });
    });
    clearTimeout(timer);
    if (typeof problem === "string") {
      this.#child.kill();
      throw new GateletError(`\`${this.command.join(" ")}\` did not start: ${problem}\n${this.log}`);
    }
    // Who forgets to stop it can end nevertheless.
    for (const part of [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr]) part.unref();
    return problem;
  }

  /** How it ended, and the last that it said; undefined, if it runs. */
  async epitaph() {
    // Its connections may break a moment before it is gone.
    let timer;
    const runs = new Promise((resolve) => (timer = setTimeout(resolve, 500)));
    const ended = await Promise.race([this.#ended, runs]);
    clearTimeout(timer);
    if (ended === undefined) return undefined;
    return `gatelet has ended (${ended}); the end of its log:\n${this.#log.slice(-LAST_LINES).join("\n") || "nothing"}`;
  }

  /** Has it end, and waits for that; kills it if it does not. */
  async stop() {
    this.#child.ref();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), ENDING);
    this.#child.stdin.end();
    await this.#ended;
    clearTimeout(timer);
  }
}

module.exports = { Process, STARTING, program };
