/** The version of this Pailou, as in package.json. */
export const version = '0.1.0';
