/** All issuers of this process: from the environment, or from a file for several services. */
import { readFileSync } from 'node:fs';
import { invalidBySchema, refusePoison } from '../config/validation-errors.ts';
import type { OauthSettings, Settings } from '../config/settings.ts';
import { GatewayError } from '../types/errors.ts';
import type { IssuerSettings } from './issuer.ts';
import { issuerSettings } from './issuer-settings.ts';
import { issuersFile, issuerSpec, type IssuerSpecInput } from './issuer-spec.ts';

const refused = (param: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError('configuration_invalid', `${param}: ${why}`, { param, cause });

/** The environment variable for each field of the configuration. */
const variables: Readonly<Record<string, string>> = {
  preset: 'PAILOU_OAUTH_PRESET',
  client: 'PAILOU_OAUTH_CLIENT_ID',
  audiences: 'PAILOU_OAUTH_AUDIENCE',
  lookups: 'PAILOU_OAUTH_LOOKUP',
};

function fromEnvironment(oauth: OauthSettings & { readonly issuer: string }): IssuerSettings {
  const spec: IssuerSpecInput = {
    issuer: oauth.issuer,
    preset: oauth.preset,
    audiences: [...oauth.audiences],
    // Tokens that were issued to the command line are accepted.
    allowed_clients: [
      ...oauth.allowedClients,
      ...(oauth.allowedClients.length > 0 && oauth.cliClientId !== null ? [oauth.cliClientId] : []),
    ],
    insecure_any_audience: oauth.insecureAnyAudience,
    ...(oauth.proxy === null ? {} : { proxy: oauth.proxy }),
    ...(oauth.lookup === null ? {} : { lookups: oauth.lookup === 'claims' ? [] : [{ kind: oauth.lookup }] }),
    ...(oauth.claims === null ? {} : { claims: oauth.claims }),
    ...(oauth.tenant === null ? {} : { tenant: oauth.tenant }),
    ...(oauth.maxRoles.length === 0 ? {} : { max_roles: [...oauth.maxRoles] }),
    ...(oauth.permissionSource === null ? {} : { permission_source: oauth.permissionSource }),
    ...(oauth.clientId === null || oauth.clientSecret === null
      ? {}
      : { client: { id: oauth.clientId, secret: oauth.clientSecret, ...(oauth.scope === null ? {} : { scope: oauth.scope }) } }),
  };
  const checked = issuerSpec.safeParse(spec);
  if (!checked.success) throw invalidBySchema(checked.error, ['PAILOU_OAUTH_ISSUER']);
  return issuerSettings(checked.data, (field) => variables[field] ?? 'PAILOU_OAUTH_SERVICES');
}

async function fromFile(file: string): Promise<readonly IssuerSettings[]> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refused('PAILOU_OAUTH_SERVICES', `the file ${file} cannot be read.`, cause);
  }
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    // Limits YAML anchors that expand exponentially.
    content = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw refused(
      'PAILOU_OAUTH_SERVICES',
      `${file} is neither YAML nor JSON: ${cause instanceof Error ? cause.message.split('\n')[0] : ''}`,
      cause,
    );
  }
  refusePoison(content, []);
  const checked = issuersFile.safeParse(content);
  if (!checked.success) throw invalidBySchema(checked.error, []);
  return checked.data.issuers.map((spec, index) => issuerSettings(spec, (field) => `issuers[${index}].${field}`));
}

/** Every token must have at most one possible issuer. */
function checkTogether(issuers: readonly IssuerSettings[]): void {
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused('issuers', `"${twice}" is listed twice.`);
  if (issuers.filter(({ tokens }) => tokens === 'opaque').length > 1)
    throw refused(
      'issuers',
      'only one of them may have opaque tokens: such a token does not name its issuer, and must not be sent to another service.',
    );
  if (issuers.filter(({ tokens, named }) => tokens === 'jwt' && !named).length > 1)
    throw refused('issuers', 'only one of them may have JWTs without the claim iss, because such tokens do not name their issuer.');
}

/** Rejects with `configuration_invalid`. Empty when no OAuth2 service is configured. */
export async function issuersFromSettings(oauth: OauthSettings): Promise<readonly IssuerSettings[]> {
  if (oauth.file !== null) {
    try {
      const issuers = await fromFile(oauth.file);
      checkTogether(issuers);
      return issuers;
    } catch (cause) {
      if (!(cause instanceof GatewayError) || cause.message.startsWith('PAILOU_OAUTH_SERVICES')) throw cause;
      throw refused('PAILOU_OAUTH_SERVICES', `${oauth.file}: ${cause.message}`, cause);
    }
  }
  return oauth.issuer === null ? [] : [fromEnvironment({ ...oauth, issuer: oauth.issuer })];
}

/** The issuer of people in rows of older versions, which contain only the subject. The first configured issuer, else the development service. */
export async function homeIssuer({ oauth, identityPort }: Settings): Promise<string> {
  return (await issuersFromSettings(oauth))[0]?.issuer ?? `http://127.0.0.1:${identityPort}`;
}
