/** What pailou doctor asks the running gateway: readiness, clock, token, disk, records on their way, descriptors, vendors. */
import { reasonsOf, type Report } from './doctor-findings.ts';

export interface GatewayQuestion {
  readonly url: string;
  /** False: the address is the default one of a set-up that was never started, where no gateway needs to run. */
  readonly isExpected: boolean;
  readonly token: string | null;
  /** The token of /metrics; null to use the other one. */
  readonly metricsToken: string | null;
  readonly report: Report;
}

const patienceMs = 5_000;
/** The header has whole seconds, and the answer takes time. */
const clockToleranceMs = 5_000;
const leastFreeBytes = 1e9;

const sizeText = (bytes: number): string => (bytes < 1e9 ? `${Math.floor(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

interface Answer {
  readonly status: number;
  readonly date: string | null;
  readonly text: string;
}

async function ask(url: string, token: string | null): Promise<Answer> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(patienceMs), redirect: 'manual' });
  return { status: response.status, date: response.headers.get('date'), text: await response.text() };
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const messageOf = (text: string): string => {
  const { error } = jsonOf(text) as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message : text.slice(0, 200);
};

/** Compares the clock of this machine with that of an answer. */
export function checkClock(about: string, date: string | null, report: Report): void {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return;
  const offset = Math.round((Date.now() - theirs) / 1_000);
  if (Math.abs(offset) * 1_000 <= clockToleranceMs) report({ ok: true, about, says: 'the same as here' });
  else
    report({
      ok: false,
      about,
      says: `the clock here is ${Math.abs(offset)} s ${offset > 0 ? 'ahead' : 'behind'}; tokens are then refused as expired or not valid yet`,
      remedy: 'Run a time service on both machines, such as chrony or systemd-timesyncd.',
    });
}

/** False: no gateway answers there, so it must not get a token. */
function checkReady({ status, text }: Answer, url: string, report: Report): boolean {
  const { status: state, revision, reason } = jsonOf(text);
  const isGateway = typeof state === 'string' && typeof revision === 'number';
  if (isGateway && status === 200 && state === 'ok')
    report({ ok: true, about: 'gateway', says: `${url} is ready, at revision ${Number(revision)} of the configuration` });
  else if (isGateway && status === 200)
    report({
      ok: false,
      about: 'gateway',
      says: `${url} serves, but its database is away or slow`,
      remedy: 'Bring the database back: calls go on, and little can be changed or listed. Its log has the reason.',
    });
  else if (isGateway && status === 503)
    report({
      ok: false,
      about: 'gateway',
      says: `${url} is not ready: ${typeof reason === 'string' ? reason : String(state)}`,
      remedy: state === 'stopping' ? 'It is being stopped; ask another node.' : 'Free space on the disk of the data folder, or enlarge it.',
    });
  else
    report({
      ok: false,
      about: 'gateway',
      says: `${url}/readyz answers with HTTP ${status}`,
      remedy: 'Another program answers there. Give the address of the gateway: --url, or PAILOU_URL.',
    });
  return isGateway;
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

/** The samples of one metric in the text format of Prometheus. */
function samplesOf(text: string, name: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    return found?.[1] === name ? [{ labels: found[2] ?? '', value: Number(found[3]) }] : [];
  });
}

const labelOf = ({ labels }: Sample, name: string): string => new RegExp(`${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1] ?? '';

function checkNumbers(text: string, report: Report): void {
  const one = (name: string): number | undefined => samplesOf(text, name)[0]?.value;
  const free = one('pailou_disk_free_bytes');
  if (free !== undefined && !Number.isNaN(free))
    report({
      ok: free >= leastFreeBytes,
      about: 'disk',
      says: `${sizeText(free)} are free on the disk of the data folder`,
      ...(free >= leastFreeBytes
        ? {}
        : {
            remedy:
              'Free space, enlarge the disk, or keep less: PAILOU_KEEP_RUNS_DAYS, then pailou prune. A full disk makes the node not ready.',
          }),
    });
  const counts: readonly (readonly [metric: string, says: string, remedy: string])[] = [
    [
      'pailou_records_spool_files',
      'files wait on disk for the database',
      'The database is away or too slow: look at its log and its load. They are taken back by themselves.',
    ],
    [
      'pailou_records_refused_total',
      'records were refused by the database',
      'They are in refused.txt in the spool folder of the data folder. Report them.',
    ],
    [
      'pailou_records_dropped_total',
      'records were lost',
      'Database and disk failed for long. Bring both back; the vendors have the numbers for that time.',
    ],
  ];
  let isClean = true;
  for (const [metric, says, remedy] of counts)
    for (const sample of samplesOf(text, metric)) {
      if (sample.value === 0) continue;
      isClean = false;
      report({ ok: false, about: 'spool', says: `${sample.value} ${says} (${labelOf(sample, 'records')})`, remedy });
    }
  if (isClean) report({ ok: true, about: 'spool', says: 'everything is in the database' });
  const [open, limit] = [one('pailou_process_open_fds'), one('pailou_process_max_fds')];
  if (open !== undefined && limit !== undefined) {
    const isEnough = open < 0.8 * limit && limit >= 4_096;
    report({
      ok: isEnough,
      about: 'descriptors',
      says: `${open} of ${limit} file descriptors are in use; each open stream needs two`,
      ...(isEnough ? {} : { remedy: 'Raise the limit: LimitNOFILE in the systemd unit, ulimit -n, or ulimits in compose.yaml.' }),
    });
  }
  const opened = samplesOf(text, 'pailou_circuit_state').filter(({ value }) => value === 2);
  for (const sample of opened)
    report({
      ok: false,
      about: 'vendors',
      says: `the circuit of ${labelOf(sample, 'deployment')} is open: its last calls failed`,
      remedy:
        "Check the vendor's status, the credential and the address of its provider: pailou test <provider>. Calls go to other deployments meanwhile.",
    });
  if (opened.length === 0) report({ ok: true, about: 'vendors', says: 'no circuit of a deployment is open' });
}

const lateRemedy = 'The gateway is busy, or waits for its database. Look at its log and at its processor time.';

async function checkSignedIn(url: string, token: string, report: Report): Promise<void> {
  const about = 'token at the gateway';
  try {
    const { status, text } = await ask(`${url}/api/me`, token);
    const { username, tenant, roles } = jsonOf(text);
    if (status === 200)
      report({
        ok: true,
        about,
        says: `it is that of ${String(username)} in the tenant ${String(tenant)}, with the roles ${Array.isArray(roles) ? roles.join(', ') : ''}`,
      });
    else
      report({
        ok: false,
        about,
        says: `it is refused: ${messageOf(text)}`,
        remedy: 'Fetch a new one. pailou doctor --token <token> says at which step it is refused.',
      });
  } catch (thrown) {
    report({ ok: false, about, says: `/api/me does not answer: ${reasonsOf(thrown).join(': ')}`, remedy: lateRemedy });
  }
}

async function checkMetrics(url: string, token: string | null, report: Report): Promise<void> {
  const about = 'disk, spool, descriptors, vendors';
  try {
    const { status, text } = await ask(`${url}/metrics`, token);
    if (status === 200) checkNumbers(text, report);
    else
      report({
        ok: true,
        about,
        says: "not looked at: /metrics is for administrators. Give an administrator's --token, or set PAILOU_METRICS_TOKEN",
      });
  } catch (thrown) {
    report({ ok: false, about, says: `/metrics does not answer: ${reasonsOf(thrown).join(': ')}`, remedy: lateRemedy });
  }
}

/** Reports what the gateway at this address says about itself. */
export async function checkGateway({ url, isExpected, token, metricsToken, report }: GatewayQuestion): Promise<void> {
  let ready: Answer;
  try {
    ready = await ask(`${url}/readyz`, null);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
      report({
        ok: false,
        about: 'gateway',
        says: `the program at ${url} accepts connections and does not answer within ${patienceMs / 1_000} s`,
        remedy: 'It hangs, or another program has this port. Look at its log and its processor time, and restart it.',
      });
      return;
    }
    report({
      ok: !isExpected,
      about: 'gateway',
      says: isExpected ? `none answers at ${url}: ${reasonsOf(thrown).join(': ')}` : `none runs at ${url} yet`,
      ...(isExpected ? { remedy: 'Start it, or give its address: --url, or PAILOU_URL.' } : {}),
    });
    return;
  }
  if (!checkReady(ready, url, report)) return;
  checkClock('clock of the gateway', ready.date, report);
  if (token !== null) await checkSignedIn(url, token, report);
  await checkMetrics(url, metricsToken ?? token, report);
}
