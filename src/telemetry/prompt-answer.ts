/** An answer in bounded time for probes and scrapes, which wait for a second or a few. */

/** Less than the second that most probes wait. */
const patience = 800;

/** The returned function resolves with null when `ask` has not ended within `patienceMs`, else as `ask` does. What hangs is shared, so that many who ask cost one. */
export function createPromptAnswer<T extends {}>(ask: () => Promise<T>, patienceMs: number = patience): () => Promise<T | null> {
  let asked: Promise<T> | null = null;
  return async () => {
    asked ??= ask().finally(() => (asked = null));
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(resolve, patienceMs, null);
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
