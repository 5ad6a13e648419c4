import { z } from 'zod';
import { listenHost, wholeNumber } from './fields.ts';

/** The map in the browser. It has no login: anyone who can connect to it can read the trail. */
export interface MapConfig {
  /** 0: any free port. */
  port: number | 'off';
  /** `*`: all addresses. */
  host: string;
  /** Address of the workflow list in the Temporal UI, without a trailing slash. */
  temporalUiUrl: string | undefined;
}

/** The environment variables of the map. */
export const mapEnvironment = {
  MAP_PORT: z
    .union(
      [z.literal('off'), wholeNumber(0, 65_535, 'must be a port from 0 to 65535, or off')],
      'must be a port from 0 to 65535, or off',
    )
    .default(8081),
  MAP_HOST: listenHost('127.0.0.1'),
  TEMPORAL_UI_URL: z
    .string()
    .trim()
    .transform((value) => value.replace(/\/+$/, ''))
    .refine(
      (value) => value === '' || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
      'must be an http:// or https:// address; for example http://temporal.example:8080/namespaces/default/workflows',
    )
    .default(''),
};

type MapEnvironment = z.output<z.ZodObject<typeof mapEnvironment>>;

export function toMapConfig(value: MapEnvironment): MapConfig {
  return {
    port: value.MAP_PORT,
    host: value.MAP_HOST,
    temporalUiUrl: value.TEMPORAL_UI_URL === '' ? undefined : value.TEMPORAL_UI_URL,
  };
}
