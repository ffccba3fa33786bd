import type { Gatelet, Issuer, IssuerSpec, StartOptions } from "./index.js";

/** A process that runs from before the first test of a file until after the last one. */
export interface InUse {
  /** The process. It is there in tests and hooks. */
  readonly gatelet: Gatelet;
  /** A new issuer. */
  issuer(spec?: IssuerSpec): Promise<Issuer>;
}

/** Starts gatelet before the tests of this file or suite, and ends it after them. */
export function useGatelet(options?: StartOptions): InUse;
