/** What a look-up is asked with. */

export interface LookupInput {
  readonly token: string;
  /** Of the verified token; null where only this look-up can tell. */
  readonly subject: string | null;
  readonly username: string | null;
}
