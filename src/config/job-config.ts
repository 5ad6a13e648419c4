import { z } from 'zod';
import { sundayFirst, weekdays } from '../time/weekdays.ts';
import { cronProblem } from './cron.ts';
import { commaSeparated, flag, wholeNumber } from './fields.ts';
import { secretUrlField, secretUrlOf, secretUrlProblems, type SecretUrl } from './secret-url.ts';
import { canonicalTimeZone, notTimeZone } from './time-zone.ts';

export interface SlackConfig {
  /** The incoming webhook, read for each message. If undefined, messages are printed instead of posted. */
  webhook: SecretUrl | undefined;
  /** `#name`, `@user` or the id of a conversation. */
  channel: string;
  /** Print messages instead of posting them, and mark no edge as announced. */
  dryRun: boolean;
}

/** When the jobs run: five-field cron expressions in the grammar of Temporal's server. */
interface JobCrons {
  digest: string;
  certificates: string;
  completeness: string;
  freshness: string;
  housekeeping: string;
}

export interface JobConfig {
  slack: SlackConfig;
  /** Canonical IANA name; used for the daily schedules and for times in messages. */
  timeZone: string;
  crons: JobCrons;
  /** URL of the map, for links. */
  mapUrl: string | undefined;
  /** Namespaces that hold data; a long digest lists new edges to them first. */
  dataNamespaces: readonly string[];
  certificates: {
    warnDays: number;
    criticalDays: number;
    /** The operator's Secret from which the client certificate was copied; not compared if undefined. */
    operatorSecret: { namespace: string; name: string } | undefined;
  };
  completeness: {
    /** Covered days required for a namespace to be complete; at least seven. */
    minimumDays: number;
    /** Days without a new egress edge before a namespace is stable. */
    stableDays: number;
    /** Days without any observation after which a namespace is stale. */
    staleDays: number;
    /** Day of the weekly report, 0 (Sunday) to 6. */
    reportWeekday: number;
  };
  freshness: { warnMinutes: number; pageMinutes: number };
  retention: { ledgerHours: number; coverageDays: number; reportDays: number; factDays: number };
}

const whole = (fallback: number, min: number, max: number, what: string) =>
  wholeNumber(min, max, `must be a whole number from ${min} to ${max} (${what})`).default(fallback);

const cron = (fallback: string) =>
  z
    .string()
    .trim()
    .superRefine((value, context) => {
      const problem = cronProblem(value);
      if (problem !== undefined)
        context.addIssue({ code: 'custom', message: `"${value}" ${problem}; for example "${fallback}"` });
    })
    .default(fallback);

/** The environment variables of the jobs. */
export const jobEnvironment = {
  SLACK_WEBHOOK_URL: secretUrlField,
  SLACK_WEBHOOK_URL_FILE: secretUrlField,
  SLACK_CHANNEL: z
    .string()
    .trim()
    .regex(
      /^(#[^\s#@<>&]{1,80}|@[^\s#@<>&]{1,80}|[CDGU][A-Z0-9]{6,20})$/,
      'must be #name, @user or an id such as C024BE91L',
    )
    .default('#alerts'),
  DRY_RUN: flag,
  TIME_ZONE: z
    .string()
    .trim()
    .transform((value, context) => {
      const zone = canonicalTimeZone(value);
      if (zone === undefined)
        context.addIssue({
          code: 'custom',
          message: notTimeZone(value),
        });
      return zone ?? z.NEVER;
    })
    .default('Europe/London'),
  DIGEST_CRON: cron('0 8 * * *'),
  CERTIFICATES_CRON: cron('11 * * * *'),
  COMPLETENESS_CRON: cron('30 7 * * *'),
  FRESHNESS_CRON: cron('*/5 * * * *'),
  HOUSEKEEPING_CRON: cron('20 3 * * *'),
  MAP_URL: z
    .url({
      protocol: /^https?$/,
      error: 'must be the http:// or https:// URL of the map',
    })
    .optional(),
  DATA_NAMESPACES: z
    .string()
    .regex(
      /^[a-z0-9-]*( *, *[a-z0-9-]+)*$/,
      'must be names of namespaces, separated by commas, for example dbaas,redis; or empty',
    )
    .default('dbaas,redis,postgres,postgresql,mysql,mariadb,mongodb,kafka,rabbitmq,minio,vault'),
  CERTIFICATE_WARN_DAYS: whole(14, 1, 3_650, 'days before expiry at which to warn'),
  CERTIFICATE_CRITICAL_DAYS: whole(3, 0, 3_650, 'days before expiry at which the state becomes critical'),
  OPERATOR_SECRET: z
    .string()
    .trim()
    .regex(
      /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$/,
      'must be namespace/name of a Secret, for example calico-system/whisker-backend-key-pair; or empty to disable the comparison',
    )
    .default('calico-system/whisker-backend-key-pair'),
  COMPLETENESS_MINIMUM_DAYS: whole(7, 7, 365, 'covered days required for a complete namespace'),
  COMPLETENESS_STABLE_DAYS: whole(3, 1, 365, 'days without a new edge after which a namespace is stable'),
  COMPLETENESS_STALE_DAYS: whole(
    14,
    1,
    3_650,
    'days without an observation after which a namespace is stale',
  ),
  COMPLETENESS_REPORT_DAY: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(weekdays, `must be one of ${weekdays.join(', ')}`))
    .default('monday'),
  FRESHNESS_WARN_MINUTES: whole(5, 1, 52, 'minutes without a merged or settled bucket after which to warn'),
  FRESHNESS_PAGE_MINUTES: whole(45, 2, 53, 'minutes without a settled bucket after which to page'),
  LEDGER_KEEP_HOURS: whole(2, 2, 168, 'hours for which the hashes of counted records are kept'),
  COVERAGE_KEEP_DAYS: whole(400, 30, 36_500, 'days for which coverage is kept in detail'),
  FACT_DAYS_KEEP: whole(400, 62, 36_500, 'days for which facts are kept by day'),
  REPORT_KEEP_DAYS: whole(400, 30, 36_500, 'days for which reports are kept'),
};

type JobEnvironment = z.output<z.ZodObject<typeof jobEnvironment>>;

export function toJobConfig(value: JobEnvironment): JobConfig {
  const [namespace, name] = value.OPERATOR_SECRET.split('/');
  return {
    slack: {
      webhook: secretUrlOf(value.SLACK_WEBHOOK_URL, value.SLACK_WEBHOOK_URL_FILE),
      channel: value.SLACK_CHANNEL,
      dryRun: value.DRY_RUN,
    },
    timeZone: value.TIME_ZONE,
    crons: {
      digest: value.DIGEST_CRON,
      certificates: value.CERTIFICATES_CRON,
      completeness: value.COMPLETENESS_CRON,
      freshness: value.FRESHNESS_CRON,
      housekeeping: value.HOUSEKEEPING_CRON,
    },
    mapUrl: value.MAP_URL,
    dataNamespaces: commaSeparated(value.DATA_NAMESPACES),
    certificates: {
      warnDays: value.CERTIFICATE_WARN_DAYS,
      criticalDays: value.CERTIFICATE_CRITICAL_DAYS,
      operatorSecret: namespace && name ? { namespace, name } : undefined,
    },
    completeness: {
      minimumDays: value.COMPLETENESS_MINIMUM_DAYS,
      stableDays: value.COMPLETENESS_STABLE_DAYS,
      staleDays: value.COMPLETENESS_STALE_DAYS,
      reportWeekday: sundayFirst.indexOf(value.COMPLETENESS_REPORT_DAY),
    },
    freshness: { warnMinutes: value.FRESHNESS_WARN_MINUTES, pageMinutes: value.FRESHNESS_PAGE_MINUTES },
    retention: {
      ledgerHours: value.LEDGER_KEEP_HOURS,
      coverageDays: value.COVERAGE_KEEP_DAYS,
      reportDays: value.REPORT_KEEP_DAYS,
      factDays: value.FACT_DAYS_KEEP,
    },
  };
}

/** Checks across several fields. The webhook is a secret; its value is never included. */
export function jobCrossProblems(env: NodeJS.ProcessEnv): string[] {
  const problems = secretUrlProblems(
    env,
    'SLACK_WEBHOOK_URL',
    'use the address of the incoming webhook, https://hooks.slack.com/services/...',
  );
  const number = (name: string, fallback: number) => Number(env[name]?.trim() || fallback);
  if (number('CERTIFICATE_CRITICAL_DAYS', 3) >= number('CERTIFICATE_WARN_DAYS', 14))
    problems.push('CERTIFICATE_CRITICAL_DAYS must be less than CERTIFICATE_WARN_DAYS');
  if (number('FRESHNESS_WARN_MINUTES', 5) >= number('FRESHNESS_PAGE_MINUTES', 45))
    problems.push('FRESHNESS_WARN_MINUTES must be less than FRESHNESS_PAGE_MINUTES');
  return problems;
}
