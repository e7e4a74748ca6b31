/** Waits for work that does not hear a signal itself, for no longer than the signal lets. */

/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted; the work goes on by itself then. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const left = (): void => reject(signal.reason);
  if (signal.aborted) left();
  else signal.addEventListener('abort', left, { once: true });
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', left);
  }
}
