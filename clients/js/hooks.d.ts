import type { Gatelet, Issuer, IssuerSpec, StartOptions } from "./index.js";

/** A process that runs from when it is first asked for until after the last test of a file. */
export interface InUse {
  gatelet(): Promise<Gatelet>;
  /** A new issuer. */
  issuer(spec?: IssuerSpec): Promise<Issuer>;
}

/** A gatelet for the tests of this file or suite, which ends after them. */
export function useGatelet(options?: StartOptions): InUse;
