import { BUCKET_SECONDS, often } from './cadence.ts';
import { below, mix } from './random.ts';
import { namespaceOf, pod, type Route } from './routes.ts';
import { APP_NAMESPACES, mainWorkload } from './workloads.ts';
import type { World } from './world.ts';

const EPOCH_SECONDS = 10 * 60;
const LIFE_EPOCHS = 18;
const REMEMBERED = 1_000;

const RECURRING = 1;
const ONCE = 2;

/** A pair of namespaces that is new in its epoch. */
interface Newcomer {
  beginsSeconds: number;
  route: Route | undefined;
}

/**
 * New connections: every ten minutes one pair of namespaces begins to communicate, for three hours, and another pair
 * communicates once. Only pairs without an existing route are used. The cache only saves time: the result depends only
 * on the world and the bucket.
 */
export class Newcomers {
  readonly #world: World;
  readonly #knownPairs: ReadonlySet<string>;
  readonly #remembered = new Map<string, Newcomer>();

  constructor(world: World) {
    this.#world = world;
    this.#knownPairs = new Set(
      world.routes.map(({ source, destination }) => `${namespaceOf(source)} ${namespaceOf(destination)}`),
    );
  }

  /** The newcomers' routes that may be used in the bucket. */
  in(bucketStartSeconds: number): Route[] {
    const now = Math.floor(bucketStartSeconds / EPOCH_SECONDS);
    const routes: Route[] = [];
    for (let epoch = now - LIFE_EPOCHS; epoch <= now; epoch++) {
      const { beginsSeconds, route } = this.#newcomer(RECURRING, epoch);
      if (!route || bucketStartSeconds < beginsSeconds) continue;
      // A new route is always used in its first bucket.
      routes.push(bucketStartSeconds === beginsSeconds ? { ...route, cadence: often(1) } : route);
    }
    const once = this.#newcomer(ONCE, now);
    if (once.route && once.beginsSeconds === bucketStartSeconds) routes.push(once.route);
    return routes;
  }

  #newcomer(kind: number, epoch: number): Newcomer {
    const name = `${kind} ${epoch}`;
    const known = this.#remembered.get(name);
    if (known) return known;
    const bucket = below(EPOCH_SECONDS / BUCKET_SECONDS, this.#world.seed, 31, kind, epoch);
    const made = {
      beginsSeconds: epoch * EPOCH_SECONDS + bucket * BUCKET_SECONDS,
      route: this.#routeOf(kind, epoch),
    };
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(name, made);
    return made;
  }

  #routeOf(kind: number, epoch: number): Route | undefined {
    const { seed, workloads } = this.#world;
    for (let attempt = 0; attempt < 8; attempt++) {
      const source = APP_NAMESPACES[below(APP_NAMESPACES.length, seed, 32, kind, epoch, attempt)];
      const target = APP_NAMESPACES[below(APP_NAMESPACES.length, seed, 33, kind, epoch, attempt)];
      if (source === undefined || target === undefined || source === target) continue;
      if (this.#knownPairs.has(`${source} ${target}`)) continue;
      return {
        // Distinct from the world's own routes.
        id: mix(seed, 34, kind, epoch) | 0x4000_0000,
        source: pod(workloads.get(source) ?? mainWorkload(seed, source)),
        destination: pod(workloads.get(target) ?? mainWorkload(seed, target)),
        port: 8080,
        protocol: 'tcp',
        service: { name: target, namespace: target, portName: 'http', port: 80 },
        cadence: often(kind === ONCE ? 1 : 0.5),
        verdict: 'allow',
        unlisted: true,
      };
    }
    return undefined;
  }
}
