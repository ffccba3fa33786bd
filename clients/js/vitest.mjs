// vitest.d.mts documents it.
import { test as base } from "vitest";

import { startGatelet } from "./index.mjs";

export const test = base.extend({
  gatelet: [
    // eslint-disable-next-line no-empty-pattern -- vitest reads the parameter's pattern
    async ({}, use) => {
      const gatelet = await startGatelet();
      await use(gatelet);
      await gatelet.close();
    },
    { scope: "file" },
  ],
  issuerSpec: {},
  issuer: async ({ gatelet, issuerSpec }, use) => {
    const issuer = await gatelet.issuer(issuerSpec);
    await use(issuer);
    await issuer.delete();
  },
});
