#!/usr/bin/env node
// Packs this package for npm, and one for each platform with the program that was built for it:
//
//     node pack.mjs OUT linux-x64=../../target/release/gatelet darwin-arm64=path/to/gatelet …
//
// The packed package names the platforms that were packed with it, in the version of Cargo.toml; npm installs the one that
// fits. Prints the tarballs.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const here = import.meta.dirname;
const [out, ...builds] = process.argv.slice(2);
if (!out || builds.length === 0 || builds.some((build) => !/^\w+-\w+=./.test(build))) {
  console.error("usage: node pack.mjs OUT PLATFORM-ARCH=PROGRAM …");
  process.exit(2);
}
const version = /^version = "(.+)"$/m.exec(readFileSync(path.join(here, "../../Cargo.toml"), "utf8"))[1];
const manifest = JSON.parse(readFileSync(path.join(here, "package.json"), "utf8"));
const work = mkdtempSync(path.join(tmpdir(), "gatelet-pack-"));
const platforms = {};

/** Packs what `fill` puts into a directory. */
function pack(description, fill) {
  const directory = path.join(work, description.name.replace("/", "-"));
  mkdirSync(directory, { recursive: true });
  for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    copyFileSync(path.join(here, "../..", file), path.join(directory, file));
  }
  fill(directory);
  writeFileSync(path.join(directory, "package.json"), JSON.stringify(description, null, 2));
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", path.resolve(out)], { cwd: directory });
  console.log(path.join(out, JSON.parse(packed)[0].filename));
}

try {
  mkdirSync(out, { recursive: true });
  for (const build of builds) {
    const [platform, program] = build.split(/=(.*)/s);
    const [os, cpu] = platform.split("-");
    const name = `@gatelet/${platform}`;
    platforms[name] = version;
    const { license } = manifest;
    const description = `The gatelet program for ${platform}; see the package gatelet`;
    // A program for glibc would be there on Alpine, and could not be run.
    const fits = { os: [os], cpu: [cpu], ...(os === "linux" && { libc: ["glibc"] }) };
    pack({ name, version, description, license, ...fits, files: ["bin", "LICENSE-*"] }, (directory) => {
      const file = path.join(directory, "bin", os === "win32" ? "gatelet.exe" : "gatelet");
      mkdirSync(path.dirname(file));
      copyFileSync(program, file);
      chmodSync(file, 0o755);
    });
  }
  const files = [...manifest.files, "LICENSE-*"];
  pack({ ...manifest, version, files, optionalDependencies: platforms }, (directory) => {
    for (const file of ["README.md", ...manifest.files]) {
      cpSync(path.join(here, file), path.join(directory, file), { recursive: true });
    }
  });
} finally {
  rmSync(work, { recursive: true });
}
