/** pailou token */
import { parseArgs } from 'node:util';
import { fetchDevelopmentToken } from '../../auth/development/development-token.ts';
import { readSettings } from '../../config/settings.ts';
import { roles } from '../../types/access.ts';
import { type Command, say, UsageError } from './command.ts';

export const tokenCommand: Command = {
  summary: 'Print a token of the development identity service, and nothing else.',
  usage: 'pailou token --role admin|developer|user|viewer',
  async run(args) {
    const { values } = parseArgs({ args, options: { role: { type: 'string', default: 'developer' } } });
    const role = roles.find((each) => each === values.role);
    if (role === undefined) throw new UsageError(`--role must be one of ${roles.join(', ')}.`);
    const settings = readSettings(process.env);
    if (settings.oauth.issuer !== null || settings.oauth.file !== null) {
      throw new UsageError(
        'An OAuth2 service is configured: fetch your token from that service. This command only asks the development identity service.',
      );
    }
    say(await fetchDevelopmentToken(`http://127.0.0.1:${settings.identityPort}`, role));
    return 0;
  },
};
