import { z } from 'zod';
import {
  isLabelKey,
  isLabelValue,
  isNamespaceName,
  isObjectName,
  isPortName,
} from '../../../text/kubernetes-names.ts';

/** Label selector of Kubernetes, with the restrictions of its validation. */
export const labelSelector = z.strictObject({
  matchLabels: z.record(labelKey(), labelValue()).optional(),
  matchExpressions: z
    .array(
      z
        .strictObject({
          key: labelKey(),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(labelValue()).optional(),
        })
        .superRefine(({ operator, values = [] }, context) => {
          const wantsValues = operator === 'In' || operator === 'NotIn';
          if (wantsValues === values.length > 0) return;
          context.addIssue({
            code: 'custom',
            path: ['values'],
            message: wantsValues
              ? `is missing, but operator ${operator} needs it; list at least one value`
              : `is set, but operator ${operator} takes no values; remove it`,
          });
        }),
    )
    .optional(),
});

const nameProblem =
  'is not a DNS name; use lower-case letters, digits, "-" and ".", or render the template first';

/** Fields of metadata that do not affect policy; any other one is misspelt, or belongs in the spec. */
const otherMetadata = [
  ...['annotations', 'creationTimestamp', 'deletionGracePeriodSeconds', 'deletionTimestamp', 'finalizers'],
  ...['generateName', 'generation', 'managedFields', 'ownerReferences', 'resourceVersion', 'selfLink', 'uid'],
];

export const metadata = z.strictObject({
  ...Object.fromEntries(otherMetadata.map((field) => [field, z.unknown().optional()])),
  name: z.string().refine(isObjectName, nameProblem),
  namespace: z
    .string()
    .refine(isNamespaceName, 'is not a namespace name; use at most 63 lower-case letters, digits and "-"')
    .optional(),
  labels: z.record(labelKey(), labelValue()).default({}),
});

/** The name of a tier, which has no dot. */
export const tierName = z
  .string()
  .refine(isNamespaceName, 'is not a tier name; use at most 63 lower-case letters, digits and "-"');

/** Added by the API server; does not affect policy. */
export const status = z.unknown().optional();

export const portNumber = z.int('is not a port; use 1 to 65535').min(1, portRange()).max(65_535, portRange());

export const portName = z
  .string()
  .refine(
    isPortName,
    'is not a port; use a number without quotes, or a name of at most 15 lower-case letters, digits and "-"',
  );

function portRange(): string {
  return 'is not a port; use 1 to 65535';
}

function labelKey() {
  return z
    .string()
    .refine(
      isLabelKey,
      'is not a label name; use at most 63 letters, digits, "-", "_" and ".", after an optional prefix',
    );
}

function labelValue() {
  return z
    .string('is not a string; put the value in quotes')
    .refine(isLabelValue, 'is not a label value; use at most 63 letters, digits, "-", "_" and "."');
}
