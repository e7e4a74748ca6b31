/** Makes the wait for non-cancellable work abortable. */

/** Settles as `work` does, or rejects with the signal's reason on abort. The work itself continues. */
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
