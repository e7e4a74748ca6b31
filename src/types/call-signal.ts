/** The end of a call before its answer: the part of an `AbortSignal` that the path of a call needs. */
export interface CallSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** Each listener is called once. */
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}
