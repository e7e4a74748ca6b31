/** A person's decision about one tool call that waits for approval. */
export interface Decision {
  /** The id of the approval request, from an earlier answer. */
  readonly id: string;
  readonly approve: boolean;
  /** The path in the request, for error messages. */
  readonly place: string;
}
