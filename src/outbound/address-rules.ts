/** The network addresses that Pailou may connect to. Pure: no name is resolved here. */
import { BlockList, isIP } from 'node:net';
import { GatewayError } from '../types/errors.ts';

/**
 * Refused whatever the operator allows: cloud metadata services, link-local, unspecified and multicast addresses. Also the
 * special-purpose ranges of RFC 6890 and IANA for documentation, tunnels and protocols, which hold no service.
 */
const forbiddenRanges = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23', // protocol assignments: Teredo, ORCHID and others
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
];

/** Refused unless the operator allows them: loopback, private, shared and benchmarking ranges, and local NAT64 prefixes. */
const privateRanges = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  '64:ff9b:1::/48',
  'fc00::/7',
  'fec0::/10',
];

/** The only assigned range of IPv6 (IANA, global unicast). The rest is discard-only, segment routing and unassigned space. */
const globalIpv6 = '2000::/3';

function addRange(list: BlockList, range: string): void {
  const [address = '', length, ...rest] = range.trim().split('/');
  const family = isIP(address);
  const widest = family === 4 ? 32 : 128;
  const bits = length === undefined ? widest : Number(length);
  if (family === 0 || rest.length > 0 || length === '' || !Number.isInteger(bits) || bits < 0 || bits > widest) {
    throw new GatewayError('configuration_invalid', `"${range}" is not an address range; write it like 10.0.0.0/8 or fd00::/8.`);
  }
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
}

function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
}

const forbidden = rangeList(forbiddenRanges);
const restricted = rangeList(privateRanges);
const global = rangeList([globalIpv6]);

/** The eight groups of an IPv6 address that `isIP` has accepted. */
function groupsOf(address: string): number[] {
  const plain = address.replace(/%.*$/, '');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  const hex =
    dotted === null
      ? plain
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [front = '', back] = hex.split('::');
  const before = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  const gap = back === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: gap }, () => '0'), ...after].map((group) => Number.parseInt(group, 16));
}

interface Embedded {
  readonly ipv4: string;
  /** True when the IPv4 address alone decides. False when the range of the IPv6 address counts too. */
  readonly decisive: boolean;
}

/** The IPv4 address that an IPv6 address leads to (mapped, compatible, translated, NAT64, 6to4, ISATAP), or null. */
function embeddedIpv4(address: string): Embedded | null {
  const groups = groupsOf(address);
  const dotted = (high = 0, low = 0): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  const last = dotted(groups[6], groups[7]);
  if (zeros(0, 5) && groups[5] === 0xffff) return { ipv4: last, decisive: true };
  if (zeros(0, 4) && groups[4] === 0xffff && groups[5] === 0) return { ipv4: last, decisive: true };
  if (zeros(0, 6) && (groups[6] !== 0 || (groups[7] ?? 0) > 1)) return { ipv4: last, decisive: true };
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return { ipv4: last, decisive: zeros(2, 6) };
  if (groups[0] === 0x2002) return { ipv4: dotted(groups[1], groups[2]), decisive: true };
  // RFC 5214 6.1, with or without the universally-unique bit.
  if (((groups[4] ?? 0) & 0xfdff) === 0 && groups[5] === 0x5efe) return { ipv4: last, decisive: false };
  return null;
}

const neverAllowed = 'the address is link-local, reserved or a metadata service, which is never allowed';

export interface AddressRules {
  /** The reason why `address` (an IP literal) is refused, or null when it is allowed. */
  refuse(address: string): string | null;
}

const operatorAdvice = 'the operator can allow its range with PAILOU_OUTBOUND_ALLOW';

/** `allow`: CIDR ranges. Throws `configuration_invalid` for a text that is not a range. `advice`: the remedy for a private address that is refused. */
export function createAddressRules(allow: readonly string[], advice: string = operatorAdvice): AddressRules {
  const allowed = rangeList(allow);
  const refuse = (address: string): string | null => {
    const family = isIP(address);
    if (family === 0) return 'it is not an IP address';
    if (family === 6) {
      const inner = embeddedIpv4(address);
      const reason = inner === null ? null : refuse(inner.ipv4);
      if (inner !== null && (inner.decisive || reason !== null)) return reason;
    }
    const plain = address.replace(/%.*$/, '');
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    if (forbidden.check(plain, kind)) return neverAllowed;
    if (restricted.check(plain, kind)) return allowed.check(plain, kind) ? null : `the address is private; ${advice}`;
    return family === 6 && !global.check(plain, kind) ? neverAllowed : null;
  };
  return { refuse };
}
