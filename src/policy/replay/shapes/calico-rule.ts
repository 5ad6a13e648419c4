import { z } from 'zod';
import { parseNet } from '../../../text/net.ts';
import { namespaceSelectorText, notSelectorText, selectorText } from './calico-selectors.ts';
import { isObjectName, isPortName } from '../../../text/kubernetes-names.ts';

type Direction = 'ingress' | 'egress';

export const protocolNames = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite'];
const protocolsWithPorts = new Set(['TCP', 'UDP', 'SCTP', '6', '17', '132']);
const protocol = z
  .union(
    [z.string(), z.int()],
    `is not a protocol; use ${protocolNames.join(', ')}, or a number from 1 to 255`,
  )
  .refine(
    (value) => protocolNames.includes(String(value)) || isByte(String(value)),
    `is not a protocol; use ${protocolNames.join(', ')}, or a number from 1 to 255`,
  );

const portProblem =
  'is not a port; use 1 to 65535, a range such as 8000:8080, or the name of a container port';
const port = z.union([z.int(), z.string()], portProblem).refine(isPort, portProblem);

const net = z.string().superRefine((text, context) => {
  const parsed = parseNet(text);
  const message =
    parsed === undefined
      ? 'is not a range in CIDR notation; for example 10.0.0.0/8'
      : parsed.hasLength && parsed.isMasked
        ? undefined
        : `${parsed.hasLength ? 'has bits after the prefix' : 'is an address without a prefix'}; use ${parsed.masked}`;
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const icmp = z
  .strictObject({ type: z.int().min(0).max(254).optional(), code: z.int().min(0).max(255).optional() })
  .refine(({ type, code }) => code === undefined || type !== undefined, {
    path: ['code'],
    message: 'needs a type; set type as well',
  });

const objectName = z
  .string()
  .refine(isObjectName, 'is not a DNS name; use lower-case letters, digits, "-" and "."');

const entity = z.strictObject({
  nets: z.array(net).optional(),
  notNets: z
    .array(
      net.refine(
        (text) => text !== '0.0.0.0/0' && text !== '::/0',
        'excludes every address; remove it, or use a Deny rule',
      ),
    )
    .optional(),
  selector: selectorText().optional(),
  notSelector: notSelectorText().optional(),
  namespaceSelector: namespaceSelectorText().optional(),
  serviceAccounts: z
    .strictObject({ names: z.array(z.string()).optional(), selector: notSelectorText().optional() })
    .optional(),
  services: z
    .strictObject({
      name: objectName.optional(),
      namespace: objectName.optional(),
    })
    .optional(),
  ports: z.array(port).optional(),
  notPorts: z.array(port).optional(),
});
export type CalicoEntity = z.infer<typeof entity>;

const ruleShape = z.strictObject({
  action: z.enum(['Allow', 'Deny', 'Pass', 'Log']),
  protocol: protocol.optional(),
  notProtocol: protocol.optional(),
  ipVersion: z.union([z.literal(4), z.literal(6)], 'is not an IP version; use 4 or 6').optional(),
  icmp: icmp.optional(),
  notICMP: icmp.optional(),
  source: entity.optional(),
  destination: entity.optional(),
  http: z
    .strictObject({
      methods: z.array(z.string()).optional(),
      paths: z
        .array(z.strictObject({ exact: z.string().optional(), prefix: z.string().optional() }))
        .optional(),
    })
    .optional(),
  metadata: z.strictObject({ annotations: z.record(z.string(), z.string()).optional() }).optional(),
});
export type CalicoRule = z.infer<typeof ruleShape>;

/** A rule of a Calico policy, with the restrictions of Calico's validation. */
export function calicoRule(direction: Direction, scope: 'namespaced' | 'global') {
  return ruleShape.superRefine((rule, context) => {
    const complain = (path: string[], message: string) => {
      context.addIssue({ code: 'custom', path, message });
    };
    checkPorts(rule, complain);
    checkIcmp(rule, complain);
    checkNets(rule, complain);
    checkServices(rule, direction, scope, complain);
    checkHttp(rule, direction, complain);
  });
}

type Complain = (path: string[], message: string) => void;
const sides = ['source', 'destination'] as const;

function checkPorts(rule: CalicoRule, complain: Complain): void {
  const hasPorts = rule.protocol !== undefined && protocolsWithPorts.has(String(rule.protocol).toUpperCase());
  for (const side of sides)
    for (const field of ['ports', 'notPorts'] as const) {
      const list = rule[side]?.[field] ?? [];
      const areNames = list.every((entry) => typeof entry === 'string' && isPortName(entry));
      if (list.length === 0 || hasPorts || (rule.protocol === undefined && areNames)) continue;
      complain([side, field], "needs a protocol with ports; set the rule's protocol to TCP, UDP or SCTP");
    }
}

function checkIcmp(
  { protocol: name, notProtocol, icmp: fields, ipVersion }: CalicoRule,
  complain: Complain,
): void {
  if (fields && name !== 'ICMP' && name !== 'ICMPv6')
    complain(['icmp'], "needs the protocol ICMP or ICMPv6; set the rule's protocol");
  for (const [protocolName, version] of [
    ['ICMP', 4],
    ['ICMPv6', 6],
  ] as const)
    if (
      (name === protocolName || notProtocol === protocolName) &&
      ipVersion !== undefined &&
      ipVersion !== version
    )
      complain(['ipVersion'], `contradicts the protocol ${protocolName}; use ${version}, or remove it`);
}

function checkNets(rule: CalicoRule, complain: Complain): void {
  const seen = new Set<number>();
  for (const side of sides)
    for (const field of ['nets', 'notNets'] as const) {
      const list = rule[side]?.[field] ?? [];
      for (const text of list) {
        const version = parseNet(text)?.version;
        if (version === undefined) continue;
        seen.add(version);
        if (rule.ipVersion !== undefined && rule.ipVersion !== version)
          complain(
            [side, field],
            `contains ${text}, which contradicts ipVersion ${rule.ipVersion}; use a separate rule`,
          );
      }
      if (list.length > 0 && seen.size > 1) {
        complain(
          [side, field],
          'mixes IPv4 and IPv6 ranges in one rule; use a separate rule for each IP version',
        );
        return;
      }
    }
}

function checkServices(
  rule: CalicoRule,
  direction: Direction,
  scope: 'namespaced' | 'global',
  complain: Complain,
): void {
  const allowed = direction === 'egress' ? 'destination' : 'source';
  for (const side of sides) {
    const { services, ...others } = rule[side] ?? {};
    if (services === undefined) continue;
    const path = [side, 'services'];
    if (side !== allowed)
      complain(path, `is not allowed in the ${side} of an ${direction} rule; use ${allowed}`);
    if (services.name === undefined) complain([...path, 'name'], 'is missing; set the name of the Service');
    if (scope === 'global' && services.namespace === undefined)
      complain([...path, 'namespace'], 'is missing; a global policy needs the namespace of the Service');
    for (const field of Object.keys(others))
      // The source of an ingress rule has source ports of its own.
      if (side === 'destination' || (field !== 'ports' && field !== 'notPorts'))
        complain(path, `cannot be combined with ${field}; use a separate rule`);
  }
}

function checkHttp(
  { http, action, protocol: name }: CalicoRule,
  direction: Direction,
  complain: Complain,
): void {
  if (http === undefined) return;
  if (direction === 'egress') complain(['http'], 'is not allowed in an egress rule; remove it');
  if (action !== 'Allow') complain(['http'], 'is allowed only with action Allow; remove it');
  if (name !== undefined && name !== 'TCP' && String(name) !== '6')
    complain(['http'], "needs the protocol TCP; set the rule's protocol to TCP");
  for (const { exact, prefix } of http.paths ?? []) {
    const path = exact ?? prefix;
    if ((exact === undefined) === (prefix === undefined) || !path?.startsWith('/') || /[? #]/.test(path))
      complain(
        ['http', 'paths'],
        'needs exact or prefix, with a path that starts with "/" and has no "?" or "#"',
      );
  }
}

/** A number, a range or the name of a port; source: Calico's numorstring.Port. */
function isPort(value: number | string): boolean {
  const text = String(value);
  const [, from, to] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (from === undefined) return isPortName(text);
  const first = Number(from);
  const last = Number(to ?? from);
  return first >= 1 && first <= last && last <= 65_535;
}

function isByte(text: string): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 255;
}
