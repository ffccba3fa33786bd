// The same for who imports. There is no default export.
export * from "./index.js";
