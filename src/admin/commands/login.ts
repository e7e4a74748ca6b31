/** pailou login, pailou logout */
import { parseArgs } from 'node:util';
import { forgetLogin, loginPath, readLogin, writeLogin } from '../../auth/sign-in/login-file.ts';
import { type Command, print, UsageError, printNote } from './command.ts';

const usual = 'http://127.0.0.1:8000';

/** Loaded on demand: `pailou start` does not need it. */
const device = () => import('../../auth/sign-in/device.ts');

export const loginCommand: Command = {
  async run(args) {
    const { positionals } = parseArgs({ args, options: {}, allowPositionals: true });
    const gateway = (positionals[0] ?? usual).replace(/\/+$/, '');
    if (positionals.length > 1 || !/^https?:\/\//.test(gateway)) throw new UsageError('Usage: pailou login https://pailou.company.cn');
    const { loginByDevice } = await device();
    const login = await loginByDevice(gateway, (address, code) => {
      // On standard error, so that programs can read standard output.
      printNote(`Open ${address}\nand confirm this code: ${code}\nWaiting …`);
    });
    await writeLogin(loginPath(process.env), login);
    print(`You are signed in at ${login.issuer}. Your token: $(pailou token)`);
    return 0;
  },
};

export const logoutCommand: Command = {
  async run(args) {
    parseArgs({ args, options: {} });
    const path = loginPath(process.env);
    const login = await readLogin(path).catch(() => null);
    await forgetLogin(path);
    if (login === null) print('You were not signed in.');
    else if (await (await device()).revokeLogin(login)) print('You are signed out.');
    else printNote(`The tokens are deleted here, but could not be revoked at ${login.issuer}.`);
    return 0;
  },
};
