/** The input of a look-up. */

export interface LookupInput {
  readonly token: string;
  /** The subject of the verified token. Null when only this look-up can return it. */
  readonly subject: string | null;
  readonly username: string | null;
}
