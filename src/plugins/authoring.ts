/** The module that an operator's plugin imports as `pailou/plugin`. */
export { definePlugin } from '../types/plugin.ts';
export { defineSkill } from './define-skill.ts';
export { headerSecret, secret } from '../types/secret.ts';
export { GatewayError } from '../types/errors.ts';
