/** pailou keys list, add, revoke: API keys of a running gateway. */
import { parseArgs } from 'node:util';
import { type Command, print, UsageError, printJson, printNote } from './command.ts';
import { answerOf, gatewayCall, gatewayOptions, printFailure, wholeList } from './gateway-call.ts';
import { table } from './table.ts';

interface Key {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  readonly enabled: boolean;
  readonly expires_at: string;
  readonly last_used_at: string | null;
  readonly replaced_by: string | null;
}

const usage =
  'Usage: pailou keys list | add [title] [--days 90] [--permission llm:model:use]… [--capability model/gpt]… [--address 10.0.0.0/8]… [--for person | --service name] | revoke <id>';

const day = (moment: string | null): string | null => moment?.slice(0, 10) ?? null;

/** An id, or a key whose owner copied the whole of it: its secret goes no further than this process. */
const idOf = (text: string): string => /^pailou_([^_]+)_/.exec(text)?.[1] ?? text;

export const apiKeysCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...gatewayOptions,
        json: { type: 'boolean', default: false },
        days: { type: 'string' },
        permission: { type: 'string', multiple: true },
        capability: { type: 'string', multiple: true },
        address: { type: 'string', multiple: true },
        for: { type: 'string' },
        service: { type: 'string' },
      },
    });
    const [verb = 'list', given, ...more] = positionals;
    if (!['list', 'add', 'revoke'].includes(verb) || more.length > 0 || (verb === 'list' && given !== undefined))
      throw new UsageError(usage);
    if (verb === 'revoke' && given === undefined) throw new UsageError('Usage: pailou keys revoke <id>   (pailou keys list has the ids)');
    const days = values.days === undefined ? undefined : Number(values.days);
    if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= 3_650))
      throw new UsageError('--days: a whole number from 1 to 3650, e.g. --days 90');
    const call = gatewayCall(values);
    if (verb === 'list') {
      const list = await wholeList<{ data: Key[]; next: null }>(call, '/api/keys?limit=500');
      if (list === null) return 1;
      if (values.json) printJson(list.data);
      else
        print(
          table(
            ['ID', 'TITLE', 'OWNER', 'ENABLED', 'EXPIRES', 'LAST USED', 'REPLACED BY'],
            list.data.map((key) => [
              key.id,
              key.title,
              key.owner,
              key.enabled,
              day(key.expires_at),
              day(key.last_used_at),
              key.replaced_by,
            ]),
          ),
        );
      return 0;
    }
    if (verb === 'revoke') {
      const id = idOf(given ?? '');
      const response = await call.send('DELETE', `/api/keys/${encodeURIComponent(id)}`);
      if (response === null) return 1;
      if (!response.ok) return printFailure(response);
      print(values.json ? '{}' : `The key ${id} is revoked; calls with it are refused from now on.`);
      return 0;
    }
    const body = {
      ...(given === undefined ? {} : { title: given }),
      ...(days === undefined ? {} : { expires_in_days: days }),
      ...(values.permission === undefined ? {} : { permissions: values.permission }),
      ...(values.capability === undefined ? {} : { capabilities: values.capability }),
      ...(values.address === undefined ? {} : { addresses: values.address }),
      ...(values.for === undefined ? {} : { for: values.for }),
      ...(values.service === undefined ? {} : { service: values.service }),
    };
    const response = await call.send('POST', '/api/keys', { type: 'application/json', bytes: JSON.stringify(body) });
    if (response === null) return 1;
    if (!response.ok) return printFailure(response);
    const made = await answerOf<Key & { readonly key: string }>(response);
    if (values.json) printJson(made);
    else {
      print(made.key);
      printNote(`The key ${made.id} works until ${day(made.expires_at)}. It is shown this once; keep it in a secret store.`);
    }
    return 0;
  },
};
