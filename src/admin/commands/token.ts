/** pailou token */
import { parseArgs } from 'node:util';
import { fetchDevelopmentToken } from '../../auth/development/development-token.ts';
import { personIn, tenantForm } from '../../auth/development/people.ts';
import { loginPath, readLogin, writeLogin } from '../../auth/sign-in/login-file.ts';
import { readSettings } from '../../config/settings.ts';
import { roles } from '../../types/access.ts';
import { type Command, print, UsageError, printJson } from './command.ts';

/** The token of `pailou login`, renewed when needed; null when not signed in. */
async function ownToken(): Promise<string | null> {
  const path = loginPath(process.env);
  const login = await readLogin(path);
  if (login === null) return null;
  // Loaded on demand: `pailou start` does not need it.
  const { freshLogin } = await import('../../auth/sign-in/device.ts');
  const fresh = await freshLogin(login);
  if (fresh !== login) await writeLogin(path, fresh);
  return fresh.access_token;
}

export const tokenCommand: Command = {
  async run(args) {
    const { values } = parseArgs({
      args,
      options: { role: { type: 'string' }, tenant: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const show = (token: string): void => (values.json ? printJson({ token }) : print(token));
    const own = values.role === undefined && values.tenant === undefined ? await ownToken() : null;
    if (own !== null) {
      show(own);
      return 0;
    }
    const role = roles.find((each) => each === (values.role ?? 'developer'));
    if (role === undefined) throw new UsageError(`--role must be one of ${roles.join(', ')}.`);
    const { tenant } = values;
    if (tenant !== undefined && !tenantForm.test(tenant))
      throw new UsageError('--tenant is a name of letters, digits, points and dashes, such as branch-a.');
    const settings = readSettings(process.env);
    if (settings.oauth.issuer !== null || settings.oauth.file !== null) {
      throw new UsageError(
        'An OAuth2 service is configured: sign in with `pailou login`, or fetch your token from that service. --role and --tenant only ask the development identity service.',
      );
    }
    show(await fetchDevelopmentToken(`http://127.0.0.1:${settings.identityPort}`, personIn(role, tenant)));
    return 0;
  },
};
