// Checks, each a sentence that is printed with how it went, and the world that the harness has made.
import { readFileSync } from "node:fs";

/** Issuer, resource, clients and keys: see harness/strict.py. */
export const world = JSON.parse(readFileSync(process.argv[2], "utf8"));

export async function check(sentence, test) {
  try {
    const result = await test();
    console.log(`ok - ${sentence}`);
    return result;
  } catch (error) {
    // What follows builds on it.
    console.log(`not ok - ${sentence}`);
    console.log(error);
    process.exit(1);
  }
}
