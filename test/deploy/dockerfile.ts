import { join } from 'node:path';
import { z } from 'zod';
import { projectFolder, validated } from './tools.ts';

const copy = z.object({
  kind: z.literal('CopyCommand'),
  command: z.looseObject({ SourcePaths: z.array(z.string()), DestPath: z.string(), From: z.string() }),
});
const commandLine = z.looseObject({ CmdLine: z.array(z.string()), PrependShell: z.boolean() });
const instruction = z.discriminatedUnion('kind', [
  copy,
  z.object({ kind: z.literal('RunCommand'), command: commandLine }),
  z.object({ kind: z.literal('EntrypointCommand'), command: commandLine }),
  z.object({ kind: z.literal('CmdCommand'), command: commandLine }),
  z.object({ kind: z.literal('WorkdirCommand'), command: z.looseObject({ Path: z.string() }) }),
  z.object({ kind: z.literal('UserCommand'), command: z.looseObject({ User: z.string() }) }),
  z.object({
    kind: z.literal('EnvCommand'),
    command: z.looseObject({ Env: z.array(z.looseObject({ Key: z.string(), Value: z.string() })) }),
  }),
  z.object({ kind: z.literal('ExposeCommand'), command: z.looseObject({ Ports: z.array(z.string()) }) }),
  z.object({
    kind: z.literal('HealthCheckCommand'),
    command: z.looseObject({ Health: z.looseObject({ Test: z.array(z.string()) }) }),
  }),
]);

const stages = z.array(z.object({ name: z.string(), base: z.string(), instructions: z.array(instruction) }));

export type Instruction = z.infer<typeof instruction>;
export type Stage = z.infer<typeof stages>[number];

/** The Dockerfile as BuildKit parses it. Throws on an instruction that the tests do not support. */
export function readDockerfile(): Promise<Stage[]> {
  return validated('dockerfile', join(projectFolder, 'Dockerfile'), stages);
}

export function stageNamed(all: readonly Stage[], name: string): Stage {
  const stage = all.find((candidate) => candidate.name === name);
  if (!stage) throw new Error(`the Dockerfile has no stage ${name}`);
  return stage;
}

type Of<Kind extends Instruction['kind']> = Extract<Instruction, { kind: Kind }>;

/** The last instruction of a kind, which is the effective one. */
export function lastOf<Kind extends Instruction['kind']>(stage: Stage, kind: Kind): Of<Kind> {
  const isWanted = (candidate: Instruction): candidate is Of<Kind> => candidate.kind === kind;
  const found = stage.instructions.findLast(isWanted);
  if (found === undefined) throw new Error(`stage ${stage.name} has no ${kind}`);
  return found;
}
