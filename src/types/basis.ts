/** The rights on which a row rests. */

/**
 * By what right a row reaches a thing, by the key of the reach: `administrator`; `owner`, where both have one owner; `public`, an address
 * that is not private; `grant:<id of the row> <subject>`. Under `*` stands what counts for everything that a row of an older version reached.
 */
export type Basis = Readonly<Record<string, string>>;
