/** What to do about all problems with the copies of the operator's certificates; no full stop at the end. */
export const copyCertificatesAgain =
  'Copy the client certificate (Secret whisker-backend-key-pair) and the CA bundle (ConfigMap tigera-ca-bundle) from calico-system again; README.md has the commands, and no restart is needed';
