/** The findings of pailou doctor. */

export interface Finding {
  readonly ok: boolean;
  readonly about: string;
  readonly says: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export type Report = (finding: Finding) => void;

const most = 2_000;
export const brief = (value: unknown): string => {
  const written = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return written.length > most ? `${written.slice(0, most)}…` : written;
};

/** The messages of an error and its causes. */
export function reasonsOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [brief(thrown)];
  return [brief(thrown.message), ...(thrown.cause === undefined ? [] : reasonsOf(thrown.cause))];
}

/** Runs one check; a failure is a finding with this remedy. */
export async function check(about: string, report: Report, remedy: string, work: () => Promise<string>): Promise<void> {
  try {
    report({ ok: true, about, says: await work() });
  } catch (thrown) {
    report({ ok: false, about, says: reasonsOf(thrown).join(': '), remedy });
  }
}
