import { existsSync } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { readDockerfile, stageNamed, type Instruction, type Stage } from './dockerfile.ts';
import { projectFolder, run, validated } from './tools.ts';

/** An unpacked target of the Dockerfile: its files without those of the base image, and its settings. */
export interface UnpackedImage {
  root: string;
  workdir: string;
  env: Record<string, string>;
  user: string;
  /** The command line of a container; `args` replace CMD, as with `docker run`. */
  commandLine(args?: string[]): string[];
}

interface Unpacked {
  root: string;
  workdir: string;
  env: Record<string, string>;
  user: string;
  entrypoint: string[];
  cmd: string[];
}

/**
 * Executes the instructions of a Dockerfile stage, and of the stages that it needs, in a folder instead of a container.
 * COPY reads the build context (without files that .dockerignore excludes) or other stages. RUN runs in the stage's
 * folder with the programs of this machine (npm, find), but with the Node release that the Dockerfile names, installed
 * from npm. Each stage is built once.
 */
export async function openImageBuilder(
  folder: string,
): Promise<{ unpack(name: string): Promise<UnpackedImage> }> {
  const stages = await readDockerfile();
  const node = await nodeOf(stages);
  const builder = new ImageBuilder(folder, stages, dirname(node));
  return {
    async unpack(name) {
      const { root, workdir, env, user, entrypoint, cmd } = await builder.stage(name);
      await mkdir(join(root, 'usr/local/bin'), { recursive: true });
      await copyFile(node, join(root, 'usr/local/bin/node'));
      const commandLine = (args = cmd) => [...entrypoint, ...args].map((word) => inside(root, word));
      return { root, workdir, env, user, commandLine };
    },
  };
}

/** The path of the `node` program of the Dockerfile's base image, in npm's cache. */
async function nodeOf(stages: readonly Stage[]): Promise<string> {
  const version = /^node:(\d+\.\d+\.\d+)-/.exec(stages.map(({ base }) => base).join('\n'))?.[1];
  if (version === undefined) throw new Error('the base image does not name an exact Node release');
  const args = ['exec', '--yes', `--package=node@${version}`, '--', 'node', '--print', 'process.execPath'];
  const { code, stdout, stderr } = await run('npm', args, { cwd: tmpdir(), env: builderEnvironment() });
  if (code !== 0) throw new Error(`npm has no node@${version}: ${stderr}`);
  return stdout.trim();
}

/** Maps an absolute path of the image to the folder where it was unpacked. */
function inside(root: string, word: string): string {
  return word.startsWith('/') && existsSync(join(root, word)) ? join(root, word) : word;
}

class ImageBuilder {
  private readonly folder: string;
  private readonly stages: readonly Stage[];
  private readonly nodeFolder: string;
  private readonly done = new Map<string, Promise<Unpacked>>();
  private context: Promise<string[]> | undefined;

  constructor(folder: string, stages: readonly Stage[], nodeFolder: string) {
    this.folder = folder;
    this.stages = stages;
    this.nodeFolder = nodeFolder;
  }

  stage(name: string): Promise<Unpacked> {
    const known = this.done.get(name);
    if (known) return known;
    const unpacking = this.unpack(stageNamed(this.stages, name));
    this.done.set(name, unpacking);
    return unpacking;
  }

  private async unpack(stage: Stage): Promise<Unpacked> {
    const root = join(this.folder, stage.name);
    const image: Unpacked = { root, workdir: '/', env: {}, user: '0:0', entrypoint: [], cmd: [] };
    await mkdir(root);
    if (this.stages.some(({ name }) => name === stage.base)) {
      const base = await this.stage(stage.base);
      Object.assign(image, { ...base, root });
      await linkTree(base.root, root);
    }
    for (const instruction of stage.instructions) await this.execute(instruction, image);
    return image;
  }

  private async execute({ kind, command }: Instruction, image: Unpacked): Promise<void> {
    switch (kind) {
      case 'WorkdirCommand':
        image.workdir = resolve(image.workdir, command.Path);
        await mkdir(join(image.root, image.workdir), { recursive: true });
        return;
      case 'EnvCommand':
        for (const { Key, Value } of command.Env) image.env[Key] = Value;
        return;
      case 'UserCommand':
        image.user = command.User;
        return;
      case 'EntrypointCommand':
        image.entrypoint = command.CmdLine;
        return;
      case 'CmdCommand':
        image.cmd = command.CmdLine;
        return;
      case 'RunCommand':
        return this.run(command.CmdLine, image);
      case 'CopyCommand':
        for (const source of command.SourcePaths)
          await this.copy(
            { source, from: command.From, many: command.SourcePaths.length > 1 },
            command.DestPath,
            image,
          );
        return;
      case 'ExposeCommand':
      case 'HealthCheckCommand':
        return;
    }
  }

  private async run(commandLine: readonly string[], image: Unpacked): Promise<void> {
    const script = commandLine.join(' ');
    // An absolute path would be one of this machine.
    if (/(^|[\s"'=>])\/(?!dev\/null)/.test(script)) throw new Error(`RUN ${script} names an absolute path`);
    const { code, stdout, stderr } = await run('sh', ['-c', script], {
      cwd: join(image.root, image.workdir),
      env: { ...builderEnvironment(), ...image.env, PATH: `${this.nodeFolder}:${process.env['PATH']}` },
      timeoutMs: 300_000,
    });
    if (code !== 0) throw new Error(`RUN ${script} failed with ${code}:\n${stdout}${stderr}`);
  }

  private async copy(
    { source, from, many }: { source: string; from: string; many: boolean },
    destination: string,
    image: Unpacked,
  ): Promise<void> {
    const origin = join(from === '' ? projectFolder : (await this.stage(from)).root, source);
    const isFolder = (await stat(origin)).isDirectory();
    const into = join(image.root, resolve(image.workdir, destination));
    const target = !isFolder && (many || destination.endsWith('/')) ? join(into, basename(source)) : into;
    if (from === '') {
      const context = await this.buildContext();
      const files = context.filter((path) => path === source || path.startsWith(`${source}/`));
      if (files.length === 0)
        throw new Error(`.dockerignore excludes ${source}, which the Dockerfile copies`);
      for (const file of files)
        await copyOne(join(projectFolder, file), join(target, file.slice(source.length)));
    } else {
      await linkTree(origin, target);
    }
  }

  /** The files of the build context. */
  private buildContext(): Promise<string[]> {
    this.context ??= validated('context', projectFolder, z.array(z.string()));
    return this.context;
  }
}

/**
 * Copies files of a finished stage by hard links, because there are tens of thousands and none is changed in place. The
 * content of a folder is added to the target's.
 */
async function linkTree(from: string, to: string): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  await mkdir(isFolder ? to : dirname(to), { recursive: true });
  const { code, stderr } = await run('cp', ['-a', '-l', isFolder ? `${from}/.` : from, to]);
  if (code !== 0) throw new Error(`cp failed: ${stderr}`);
}

async function copyOne(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

/** This machine's environment without the variables of the test runner. */
function builderEnvironment(): NodeJS.ProcessEnv {
  const added =
    /^(NODE_ENV|NODE_OPTIONS|VITEST.*|TEST|DEV|PROD|MODE|BASE_URL|SSR|npm_(lifecycle|package|execpath|command).*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !added.test(name)));
}
