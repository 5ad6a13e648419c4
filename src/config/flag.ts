import { z } from 'zod';

/** A switch: `1` or `true` is on; `0`, `false`, empty or unset is off. */
export const flag = z
  .enum(['0', '1', 'true', 'false', ''], 'must be 0 or 1')
  .default('')
  .transform((value) => value === '1' || value === 'true');
