import { readFile } from 'node:fs/promises';
import { errorText } from '../../src/failure/thrown.ts';
import { parseClockScale, scaledClock, systemClock } from '../../src/time/clock.ts';
import { startGoldmane, type GoldmaneVersion } from './stand-in.ts';

// The stand-in as a program, with the settings of a real Goldmane and two additional ones: LISTEN_HOST, and
// FLOW_TRAIL_CLOCK for tests that share a fast clock. It receives flows through FlowCollector.Connect.
const env = process.env;
const problems: string[] = [];
const scale = env.FLOW_TRAIL_CLOCK === undefined ? undefined : parseClockScale(env.FLOW_TRAIL_CLOCK);
if (env.FLOW_TRAIL_CLOCK !== undefined && !scale) {
  problems.push('FLOW_TRAIL_CLOCK must be "realAnchorMs,anchorMs,speed"');
}
const port = Number(env.PORT ?? '7443');
if (!Number.isInteger(port) || port < 0 || port > 65_535) problems.push('PORT must be a port number');
const bucketSeconds = /^(\d+)s$/.exec(env.AGGREGATION_WINDOW ?? '15s')?.[1];
if (bucketSeconds === undefined) problems.push('AGGREGATION_WINDOW must be seconds, such as "15s"');
const version = env.GOLDMANE_VERSION ?? '3.30';
if (!isVersion(version)) problems.push('GOLDMANE_VERSION must be "3.30" or "3.32"');
const tls = {
  ca: await pem('CA_CERT_PATH'),
  cert: await pem('SERVER_CERT_PATH'),
  key: await pem('SERVER_KEY_PATH'),
};
if (problems.length > 0 || !isVersion(version)) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(2);
}

const say = (level: string) => (data: object, message: string) =>
  process.stdout.write(`${JSON.stringify({ level, msg: message, ...data })}\n`);
const goldmane = await startGoldmane({
  clock: scale ? scaledClock(scale) : systemClock,
  tls,
  port,
  host: env.LISTEN_HOST ?? '127.0.0.1',
  version,
  bucketSeconds: Number(bucketSeconds),
  logger: { info: say('info'), warn: say('warn') },
});
process.once('SIGTERM', () => void goldmane.stop());
process.once('SIGINT', () => void goldmane.stop());
const reason = await goldmane.ended;
process.exit(reason === 'stopped' ? 0 : 2);

async function pem(name: string): Promise<string> {
  const path = env[name];
  if (path === undefined || path === '') {
    problems.push(`${name} must name a PEM file`);
    return '';
  }
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    problems.push(`${name}: ${errorText(error)}`);
    return '';
  }
}

function isVersion(text: string): text is GoldmaneVersion {
  return text === '3.30' || text === '3.32';
}
