/** Checks HMAC secrets. A guessed secret lets an attacker sign tokens for any person. */
import { GatewayError } from '../types/errors.ts';

const fewestBytes = 32;

/** Default secrets of back ends and of examples. */
const published = [
  'abcdefghijklmnopqrstuvwxyz',
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
  'my-secret-key-my-secret-key-my-secret-key',
  'your-256-bit-secret-your-256-bit-secret',
  'a-string-secret-at-least-256-bits-long',
  'secretsecretsecretsecretsecretsecret',
  'changemechangemechangemechangeme',
  'U3ByaW5nQm9vdFNlY3VyaXR5SldUU2VjcmV0S2V5',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  '9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9',
  'bXktc2VjcmV0LWtleS1mb3Itand0LXNpZ25pbmctbXVzdC1iZS1sb25n',
];

/** A secret with fewer distinct characters is a pattern. */
const fewestLetters = 10;

/** Throws `configuration_invalid` for a secret that is short, published or a pattern. The message does not contain it. */
export function refuseWeakSecret(secret: string, param: string): void {
  const refuse = (why: string): GatewayError =>
    new GatewayError('configuration_invalid', `${param}: ${why}. Make a new one at the OAuth2 service, e.g. with: openssl rand -hex 32`, {
      param,
    });
  const known = published.map((each) => each.toLowerCase());
  if (known.includes(secret.toLowerCase())) throw refuse('this secret is published, so anyone can sign tokens with it');
  if (Buffer.byteLength(secret) < fewestBytes) throw refuse(`the secret must have at least ${fewestBytes} bytes`);
  if (new Set(secret).size < fewestLetters) throw refuse('the secret repeats the same few letters');
}
