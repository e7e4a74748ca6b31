/** Composition root. */
export {};
