import type { TestAPI } from "vitest";

import type { Gatelet, Issuer, IssuerSpec } from "./index.js";

/**
 * Vitest's `test`, with fixtures: `gatelet`, one process for a file; `issuer`, one for each test that asks for it;
 * `issuerSpec`, what that is like (`test.scoped({ issuerSpec: { … } })`).
 */
export const test: TestAPI<{ gatelet: Gatelet; issuerSpec: IssuerSpec; issuer: Issuer }>;
