import { z } from 'zod';
import { addressProblem, parseNarrowCidr } from '../text/cidr.ts';
import { commaSeparated } from './fields.ts';

/** The environment variables of derived allowlists. */
export const allowlistEnvironment = {
  DNS_ADDRESSES: z
    .string()
    .default('')
    .transform(commaSeparated)
    .refine(
      (parts) => parts.every((part) => parseNarrowCidr(part) !== undefined),
      `contains a value that ${addressProblem}`,
    )
    .transform((parts) => parts.map((part) => parseNarrowCidr(part) ?? part)),
};
