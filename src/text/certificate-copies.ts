/** What to do about all problems with the copies of the operator's certificates; no full stop at the end. */
export const copyCertificatesAgain =
  'Copy again: tls.crt and tls.key from the Secret whisker-backend-key-pair, and the bundle from the ConfigMap tigera-ca-bundle (both in calico-system), with the commands in README.md, “Run it in your cluster”; no restart is needed';
