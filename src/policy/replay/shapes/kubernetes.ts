import { z } from 'zod';
import { parseNet, type Net } from '../../../text/net.ts';
import { intersect, subtract } from '../address-sets.ts';
import { labelSelector, portName, portNumber } from './common.ts';

const cidrProblem =
  'is not a range in CIDR notation; for example 10.0.0.0/8, or 192.0.2.1/32 for one address';

const ipBlock = z
  .strictObject({
    cidr: z.string().refine(isCidr, cidrProblem),
    except: z.array(z.string().refine(isCidr, cidrProblem)).optional(),
  })
  .superRefine(({ cidr, except = [] }, context) => {
    const whole = parseNet(cidr);
    for (const [at, text] of except.entries()) {
      const part = parseNet(text);
      if (whole && part && !isWithin(part, whole))
        context.addIssue({
          code: 'custom',
          path: ['except', at],
          message: `is not within the cidr ${cidr}; use a smaller range within it, or remove it`,
        });
    }
  });

const peer = z
  .strictObject({
    namespaceSelector: labelSelector.optional(),
    podSelector: labelSelector.optional(),
    ipBlock: ipBlock.optional(),
  })
  .refine(
    ({ namespaceSelector, podSelector, ipBlock: block }) =>
      (block === undefined) !== (namespaceSelector === undefined && podSelector === undefined),
    'needs either an ipBlock or selectors; use {} for an empty selector, and separate list items for ipBlock and selectors',
  );

const port = z
  .strictObject({
    protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
    port: z
      .union([portNumber, portName], 'is not a port; use 1 to 65535, or the name of a container port')
      .optional(),
    endPort: portNumber.optional(),
  })
  .superRefine(({ port: first, endPort }, context) => {
    if (endPort === undefined || (typeof first === 'number' && endPort >= first)) return;
    context.addIssue({
      code: 'custom',
      path: ['endPort'],
      message:
        typeof first === 'number'
          ? `is less than port ${first}; use ${first} or more`
          : 'needs a numeric port; set port to the first number of the range',
    });
  });

const ports = z.array(port).default([]);
const peers = z.array(peer).default([]);

/** The spec of a Kubernetes NetworkPolicy; source: networking.k8s.io/v1 and its validation. */
export const kubernetesSpec = z.strictObject({
  podSelector: labelSelector.default({}),
  policyTypes: z
    .array(z.enum(['Ingress', 'Egress']))
    .max(2, 'has more than two entries; use Ingress, Egress or both')
    .optional(),
  ingress: z.array(z.strictObject({ from: peers, ports })).optional(),
  egress: z.array(z.strictObject({ to: peers, ports })).optional(),
});
export type KubernetesSpec = z.infer<typeof kubernetesSpec>;

function isCidr(text: string): boolean {
  return parseNet(text)?.hasLength === true;
}

/** Whether a range is a proper part of another one. */
function isWithin(part: Net, whole: Net): boolean {
  return (
    part.version === whole.version &&
    subtract([part.range], [whole.range]).length === 0 &&
    subtract([whole.range], intersect([whole.range], [part.range])).length > 0
  );
}
