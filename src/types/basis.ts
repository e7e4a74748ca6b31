/** The rights on which a row's references rest. */

/**
 * The right by which a row reaches each thing, by the key of the reach. `administrator`; `owner`, when both have the same owner;
 * `public`, an address that is not private; `grant:<id of the row> <subject>`. The key `*` holds the right for everything that a row of
 * an older version reached.
 */
export type Basis = Readonly<Record<string, string>>;
