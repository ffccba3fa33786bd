import gatelet from "./lib/index.js";

export const { ExpectationFailed, Gatelet, GateletError, Issuer, connectGatelet, program, startGatelet, withIssuer } = gatelet;
