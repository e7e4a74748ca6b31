/** Whether the database answers, in bounded time: the probe of a load balancer waits for a second or less. */
import type { Database } from './database.ts';

/** Less than the second that most probes wait. */
const patience = 800;

/** The returned function resolves within `patienceMs`, and with false when no statement has run by then. A statement that hangs is shared, so that probes do not use up the connections. */
export function createPromptPing(ping: Database['ping'], patienceMs: number = patience): () => Promise<boolean> {
  let asked: Promise<boolean> | null = null;
  return async () => {
    asked ??= ping()
      .then(
        () => true,
        () => false,
      )
      .finally(() => (asked = null));
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, patienceMs, false);
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
