import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/types/errors.ts';
import { BlockedAddress, createOutboundGuard } from '../../src/outbound/guard.ts';

const strict = createOutboundGuard({ allow: [] });
const open = createOutboundGuard({ allow: ['0.0.0.0/0', '::/0'] });

function refused(url: string, guard = strict): boolean {
  try {
    guard.checkUrl(url, 'options.base_url');
    return false;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'configuration_invalid' && error.param === 'options.base_url') return true;
    throw error;
  }
}

describe('the guard', () => {
  test.each([
    'http://127.0.0.1',
    'http://127.1',
    'http://2130706433',
    'http://0x7f.0.0.1:99',
    'http://localhost.',
    'http://a.localhost',
    'http://[::1]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]',
    'http://[::127.0.0.1]',
    'http://[64:ff9b::10.0.0.1]',
    'http://[2002:0a00:0001::]',
    'https://10.1.2.3/v1',
    'https://172.31.255.255',
    'https://192.168.0.1',
    'https://100.64.0.1',
    'https://[fd12::1]',
    'https://[fec0::1]',
    'http://198.18.0.7',
    'http://[64:ff9b:1::808:808]',
    'http://[::ffff:0:10.0.0.1]',
    'http://[2606:4700::5efe:10.0.0.1]',
    'http://[2606:4700::200:5efe:10.0.0.1]',
  ])('refuses %s unless its range is allowed', (url) => {
    expect(refused(url)).toBe(true);
    expect(refused(url, open)).toBe(false);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:169.254.169.254]',
    'http://[fe80::1]',
    'http://[fd00:ec2::254]',
    'http://100.100.100.200',
    'http://0.0.0.0',
    'http://[::]',
    'http://metadata.google.internal',
    'http://224.0.0.1',
    'http://255.255.255.255',
    'http://192.0.2.1',
    'http://198.51.100.1',
    'http://203.0.113.1',
    'http://192.88.99.1',
    'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]', // Teredo
    'http://[2001:2::1]', // benchmarking
    'http://[2001:10::1]', // ORCHID
    'http://[2001:20::1]', // ORCHID, second version
    'http://[2001:db8::1]', // documentation
    'http://[3fff::1]', // documentation
    'http://[100::1]', // discard-only
    'http://[5f00::1]', // segment routing
    'http://[4000::1]', // unallocated
    'http://[1::1]',
    'http://[64:ff9b::169.254.169.254]',
    'http://[64:ff9b:1::169.254.169.254]', // a metadata service behind NAT64 of one's own
    'http://[2002:a9fe:a9fe::]', // the same by 6to4
    'http://[2606:4700::5efe:169.254.169.254]', // the same by ISATAP
  ])('refuses %s whatever is allowed', (url) => {
    expect(refused(url)).toBe(true);
    expect(refused(url, open)).toBe(true);
  });

  test.each(['ftp://a.example', 'file:///etc/passwd', 'not a url', 'https://user:pass@a.example', 'https://key@a.example', ''])(
    'refuses %s',
    (url) => {
      expect(refused(url, open)).toBe(true);
    },
  );

  test('accepts public addresses and names', () => {
    for (const url of [
      'https://api.example.com/v1',
      'https://8.8.8.8',
      'https://[2606:4700::1111]',
      'https://[2001:4860:4860::8888]',
      'http://172.32.0.1',
    ])
      expect(refused(url)).toBe(false);
    expect(strict.checkUrl('https://api.example.com/v1?x=1', 'p').pathname).toBe('/v1');
  });

  test('allows only the given ranges', () => {
    const guard = createOutboundGuard({ allow: ['10.0.0.0/8', '::1/128', '192.168.1.7'] });
    expect(refused('http://10.9.9.9', guard)).toBe(false);
    expect(refused('http://[::1]', guard)).toBe(false);
    expect(refused('http://192.168.1.7', guard)).toBe(false);
    expect(refused('http://192.168.1.8', guard)).toBe(true);
    expect(refused('http://127.0.0.1', guard)).toBe(true);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/', 'private', '10.0.0.0/8/8', '::/129', ''])('refuses the range "%s"', (range) => {
    expect(() => createOutboundGuard({ allow: [range] })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
  });

  test('checks the resolved address at each connection', async () => {
    const look = (guard: typeof strict, all: boolean) =>
      new Promise<unknown>((resolve) => {
        guard.lookup('localhost', { all }, (error, found, family) => resolve(error ?? (all ? found : { found, family })));
      });
    expect(await look(strict, true)).toBeInstanceOf(BlockedAddress);
    expect(await look(strict, false)).toBeInstanceOf(BlockedAddress);
    expect(await look(createOutboundGuard({ allow: ['127.0.0.0/8'] }), true)).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });
});
