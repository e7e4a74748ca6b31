/** What a person said to one held call of a tool. */
export interface Decision {
  /** The question's, as an earlier answer asked it. */
  readonly id: string;
  readonly approve: boolean;
  /** Where it stands in the request, for faults. */
  readonly place: string;
}
