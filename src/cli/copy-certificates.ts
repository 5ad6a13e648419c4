import { Command } from 'commander';
import { clusterApiOf } from '../goldmane/cluster-api.ts';
import { copyCertificates } from '../goldmane/copy-certificates.ts';
import { print } from './output/output.ts';

interface Options {
  fromNamespace: string;
  fromSecret: string;
  fromConfigmap: string;
  toNamespace: string;
  toSecret: string;
  toConfigmap: string;
}

export function copyCertificatesCommand(): Command {
  return new Command('copy-certificates')
    .description(
      "Copy the operator's client certificate and CA bundle to the worker's namespace if they have changed; for a CronJob in the cluster.",
    )
    .option('--from-namespace <namespace>', 'namespace of the originals', 'calico-system')
    .option('--from-secret <name>', 'Secret with tls.crt and tls.key', 'whisker-backend-key-pair')
    .option('--from-configmap <name>', 'ConfigMap with tigera-ca-bundle.crt', 'tigera-ca-bundle')
    .option('--to-namespace <namespace>', 'namespace of the copies', 'goldmane-flow-trail')
    .option('--to-secret <name>', 'Secret that the worker mounts', 'goldmane-client-tls')
    .option('--to-configmap <name>', 'ConfigMap that the worker mounts', 'tigera-ca-bundle')
    .addHelpText(
      'after',
      `
Uses the Kubernetes API with the pod's service account. An invalid original never
replaces a copy.

Example (deploy/helm runs this with certificateCopy.enabled):
  flow-trail copy-certificates --to-namespace goldmane-flow-trail`,
    )
    .action(async (options: Options) => {
      const results = await copyCertificates(
        clusterApiOf(process.env),
        {
          from: {
            secret: { namespace: options.fromNamespace, name: options.fromSecret },
            configMap: { namespace: options.fromNamespace, name: options.fromConfigmap },
          },
          to: {
            secret: { namespace: options.toNamespace, name: options.toSecret },
            configMap: { namespace: options.toNamespace, name: options.toConfigmap },
          },
        },
        new AbortController().signal,
      );
      for (const { kind, name, outcome } of results)
        print(`${kind} ${name.namespace}/${name.name}: ${outcome}`);
    });
}
