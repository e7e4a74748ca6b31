/** pailou doctor: checks the set-up, its services and the running gateway, and explains a token step by step. */
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createAuthenticator } from '../../auth/authenticator.ts';
import { createDiscovery, fetchJson } from '../../auth/discovery.ts';
import { developmentIssuer } from '../../auth/issuer-presets.ts';
import type { IssuerSettings } from '../../auth/issuer.ts';
import { issuersFromSettings } from '../../auth/issuers.ts';
import { readSettings, type Settings } from '../../config/settings.ts';
import { issuerFetch } from '../../auth/issuer-fetch.ts';
import { createOutboundClient, type OutboundClient } from '../../outbound/client.ts';
import { createOperatorGuard } from '../../outbound/compose-outbound.ts';
import { connectRedis } from '../../storage/redis.ts';
import { createLogger } from '../../telemetry/log.ts';
import { toGatewayError } from '../../types/errors.ts';
import { type Command, print, UsageError, printJson } from './command.ts';
import { checkDatabase } from './doctor-database.ts';
import { brief, check, type Finding, reasonsOf, type Report } from './doctor-findings.ts';
import { checkClock, checkGateway } from './doctor-gateway.ts';

/** Resolves with true when a gateway was started on this database before. */
async function checkParts(
  settings: Settings,
  issuers: readonly IssuerSettings[],
  client: OutboundClient,
  report: Report,
): Promise<boolean> {
  const logger = createLogger('silent');
  const { redisUrl } = settings;
  const isSetUp = await checkDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir }, report);
  if (redisUrl !== null) {
    await check('Redis', report, 'Check PAILOU_REDIS_URL, and that the server runs.', async () => {
      await using redis = await connectRedis({ url: redisUrl, logger, patienceMs: 3_000 });
      await new Promise<void>((resolve, reject) => {
        redis.onReady(resolve);
        setTimeout(() => reject(new Error('it does not answer within 3 s')), 3_000).unref();
      });
      return 'it answers';
    });
  }
  const isDevelopment = settings.oauth.issuer === null && settings.oauth.file === null;
  const remedy = isDevelopment
    ? 'The development identity service runs with the gateway. Start both: npx pailou start'
    : 'Check PAILOU_OAUTH_ISSUER, and that this machine may reach it (proxy, certificate, firewall).';
  for (const issuer of issuers) {
    const about = `service ${issuer.issuer}`;
    const { keys } = issuer;
    const asks = issuerFetch(client)(issuer);
    const date = await asks(issuer.issuer, { signal: AbortSignal.timeout(5_000), redirect: 'manual' }).then(
      ({ headers }) => headers.get('date'),
      () => null,
    );
    checkClock(`clock of ${issuer.issuer}`, date, report);
    if (keys.from === 'discovery' && issuer.tokens === 'jwt') {
      await check(about, report, remedy, async () => {
        const { signal } = new AbortController();
        const { jwks_uri: keysAt } = await createDiscovery({ ...issuer, fetch: issuerFetch(client)(issuer), signal }).fresh(true);
        if (keysAt === null) throw new Error('its discovery document names no jwks_uri');
        const { keys: set } = await fetchJson(keysAt, issuerFetch(client)(issuer), signal);
        if (!Array.isArray(set) || set.length === 0) throw new Error(`there are no keys at ${keysAt}`);
        return `tokens are JWTs, checked here with one of ${set.length} keys from ${keysAt}`;
      });
    } else {
      report({ ok: true, about, says: issuer.tokens === 'jwt' ? `JWTs, checked with keys from ${keys.from}` : 'queried for each token' });
    }
    const asked = issuer.lookups.map((lookup) =>
      lookup.kind === 'sql' ? 'its database' : typeof lookup.url === 'string' ? lookup.url : `its ${lookup.url.discovered}`,
    );
    report({
      ok: true,
      about,
      says: asked.length === 0 ? 'roles and rights come from the token alone' : `roles and rights come from ${asked.join(', then ')}`,
    });
  }
  return isSetUp;
}

/** Prints the claims of the token, but only the field names of a look-up's answer, which belongs to the service. */
async function checkToken(token: string, issuers: readonly IssuerSettings[], client: OutboundClient, report: Report): Promise<void> {
  const authenticator = createAuthenticator({ issuers, logger: createLogger('silent'), fetchFor: issuerFetch(client) });
  try {
    await authenticator.explain(token, (step, found) => {
      const shown = step === 'the service answered' ? `${Object.keys(found).join(', ')}` : brief(found);
      report({ ok: true, about: 'token', says: `${step}${shown === '{}' ? '' : `: ${shown}`}` });
    });
  } catch (thrown) {
    report({
      ok: false,
      about: 'token',
      says: `refused with ${toGatewayError(thrown).code}: ${reasonsOf(thrown).join(': ')}`,
      remedy: 'Fetch a new token, or change what the step before it names (docs/access.md).',
    });
  } finally {
    authenticator.close();
  }
}

export const doctorCommand: Command = {
  async run(args) {
    const { values } = parseArgs({
      args,
      options: { token: { type: 'string' }, url: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const given = values.token === '-' ? await text(process.stdin) : values.token;
    const token = given?.trim().replace(/^Bearer /i, '');
    if (token === '') throw new UsageError('--token is empty; give a token, or - to read it from the standard input.');
    const named = values.url ?? process.env['PAILOU_URL'];
    if (named !== undefined && !/^https?:\/\/[^/]/.test(named))
      throw new UsageError(`--url (or PAILOU_URL) is "${named}", and the address of a gateway is like https://gateway.example.com.`);
    const findings: Finding[] = [];
    const report: Report = (finding) => {
      findings.push(finding);
      if (values.json) return;
      print(`${finding.ok ? '✓' : '✗'} ${finding.about}: ${finding.says}`);
      if (finding.remedy !== undefined) print(`  → ${finding.remedy}`);
    };

    const settings = readSettings(process.env);
    const configured = await issuersFromSettings(settings.oauth);
    const local = (port: number): string => `http://127.0.0.1:${port}`;
    const issuers = configured.length > 0 ? configured : [developmentIssuer(local(settings.identityPort), local(settings.port))];
    report({ ok: true, about: 'settings', says: `${settings.mode} mode, all variables are valid` });
    const client = createOutboundClient(createOperatorGuard(), { proxyOf: settings.proxyOf });
    try {
      const isSetUp = await checkParts(settings, issuers, client, report);
      await checkGateway({
        url: (named ?? local(settings.port)).replace(/\/+$/, ''),
        isExpected: named !== undefined || isSetUp,
        token: token ?? process.env['PAILOU_TOKEN'] ?? null,
        metricsToken: settings.metricsToken,
        report,
      });
      if (token !== undefined) await checkToken(token, issuers, client, report);
    } finally {
      await client.close();
    }
    const ok = findings.every((finding) => finding.ok);
    if (values.json) printJson({ ok, findings }, 2);
    else if (token === undefined) print('To see how a token is read: pailou doctor --token <token>');
    return ok ? 0 : 1;
  },
};
